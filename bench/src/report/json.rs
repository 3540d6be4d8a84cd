//! JSON, for writing.

use std::fmt::{self, Display, Formatter};

pub(crate) enum Json {
    /// Not a number is `null`.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(&'static str, Json)>),
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Json {
    /// Lists and objects with nothing but numbers and texts are on one line.
    fn write(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        let is_flat = self.values().all(|value| value.values().next().is_none());
        let depth = depth + 1;
        let line = |f: &mut Formatter<'_>, depth: usize| {
            if is_flat { Ok(()) } else { write!(f, "\n{:1$}", "", depth) }
        };
        match self {
            // Six digits are more than anything here is worth.
            Self::Number(number) if number.is_finite() => write!(f, "{}", rounded(*number)),
            Self::Number(_) => f.write_str("null"),
            Self::Text(text) => write_text(f, text),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    line(f, depth)?;
                    value.write(f, depth)?;
                }
                line(f, depth - 1)?;
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    f.write_str(match (index, is_flat) {
                        (0, _) => "",
                        (_, true) => ", ",
                        (_, false) => ",",
                    })?;
                    line(f, depth)?;
                    write_text(f, name)?;
                    f.write_str(": ")?;
                    value.write(f, depth)?;
                }
                line(f, depth - 1)?;
                f.write_str("}")
            }
        }
    }

    fn values(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::List(values) => Box::new(values.iter()),
            Self::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
            _ => Box::new([].iter()),
        }
    }
}

fn rounded(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

fn write_text(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_flat_is_on_one_line_and_the_rest_is_not() {
        let flat = Json::Object(vec![("a", Json::Number(0.1 + 0.2)), ("b", Json::Number(f64::NAN))]);
        assert_eq!(flat.to_string(), "{\"a\": 0.3, \"b\": null}");
        let list = Json::List(vec![flat, Json::List(vec![])]);
        assert_eq!(list.to_string(), "[\n {\"a\": 0.3, \"b\": null},\n []\n]");
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(Json::from("a\"\\\n\u{e9}").to_string(), "\"a\\\"\\\\\\u000a\u{e9}\"");
    }
}
