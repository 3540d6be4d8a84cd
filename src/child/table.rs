//! The list of what a child is given, as text: the rules, without I/O.

use std::io;

/// The environment variable that has the list (Unix), or says where it is (Windows).
pub(crate) const VARIABLE: &str = "INTERPROCESS_INHERITED";

/// How many bytes a name may have.
const MAX_NAME: usize = 255;

/// Refuses a name that the list has no room for.
pub(crate) fn check_name(name: &str) -> io::Result<()> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > MAX_NAME {
        "it is longer than 255 bytes"
    } else if name.contains(['=', ';']) || name.contains(char::is_control) {
        "it contains a control character, '=' or ';'"
    } else {
        return Ok(());
    };
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("no name for what a child is given: {name:?}: {why}"),
    ))
}

/// `NAME=VALUE;NAME=VALUE`, of names that were checked.
pub(crate) fn encode<'n>(entries: impl IntoIterator<Item = (&'n str, String)>) -> String {
    let entries = entries.into_iter().map(|(name, value)| format!("{name}={value}"));
    entries.collect::<Vec<_>>().join(";")
}

/// The names and values of such a text. Every name is possible, and there once.
pub(crate) fn decode(text: &str) -> io::Result<Vec<(&str, &str)>> {
    let mut entries: Vec<(&str, &str)> = Vec::new();
    if text.is_empty() {
        return Ok(entries);
    }
    for entry in text.split(';') {
        match entry.split_once('=') {
            Some((name, value))
                if check_name(name).is_ok() && entries.iter().all(|(other, _)| *other != name) =>
            {
                entries.push((name, value));
            }
            _ => return Err(forged(format!("{entry:?} is not the first entry of a name"))),
        }
    }
    Ok(entries)
}

/// That the environment does not make sense.
pub(crate) fn forged(why: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("in what {VARIABLE} says: {why}"))
}

/// That there is nothing for this process.
pub(crate) fn nothing_given(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("nothing was given to this process: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for entries in [&[][..], &[("a", "1")], &[("jobs", "3:4"), ("other words, ünï", ""), ("c", "x=y")]]
        {
            let text = encode(entries.iter().map(|(name, value)| (*name, (*value).to_owned())));
            assert_eq!(decode(&text).unwrap(), entries, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_list_is_refused() {
        for text in ["a", ";", "a=1;", ";a=1", "=1", "a=1;a=2", "a=1;;b=2", "a\n=1", "a=1;b"] {
            assert_eq!(decode(text).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text:?}");
        }
    }

    #[test]
    fn names_that_the_list_has_no_room_for_are_refused() {
        for name in ["", "a=b", "a;b", "a\0", "\n", &"x".repeat(256)] {
            let error = check_name(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
        }
        for name in ["a", "two words", "ünïcödé", "@x/y.z:0", &"x".repeat(255)] {
            check_name(name).unwrap();
        }
    }
}
