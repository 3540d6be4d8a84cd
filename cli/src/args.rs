//! The command line.

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{OsStringValueParser, TypedValueParser},
};
use interprocess::local_socket::{Access, Name, ToName};
use std::{ffi::OsString, path::PathBuf, time::Duration};

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  no connection, a broken connection, or another error of input or output
  2  the command line is wrong
  3  a time limit has passed";

const NAMES: &str = "\
Names:
  @NAME  lives in a namespace of the system: the abstract namespace on Linux,
         \\\\.\\pipe\\NAME on Windows, the user's runtime directory elsewhere
  PATH   a socket file; on Windows a pipe, \\\\.\\pipe\\NAME, and a bare word is @NAME
  Only processes of the same user, and root or administrators, get a
  connection, unless the listener opens it to more.";

const EXAMPLES: &str = "\
Examples:
  ipc listen @chat                      talk from one terminal ...
  ipc connect @chat                     ... to another

  ipc listen /tmp/s > copy              send a file
  ipc connect --wait /tmp/s < original

  ipc demo                              see what local sockets do on this machine";

const ENDS: &str = "\
How it ends:
  At the end of stdin the peer is told that no more will come, and what it still
  sends goes to stdout until it ends, too. When the peer is gone, that is the
  end, even if stdin is still open.
  A peer that has sent something and ended, but still receives, gets what is left
  of stdin until stdin is silent for the time that --linger gives.
  Windows has no way to end one direction of a connection. There, once the peer
  has read what stdin had, the connection is closed when the peer is silent for
  that time.
  A side that had nothing to send is taken to be there to receive: it is not
  closed for silence, unless --linger is given.";

/// Local sockets from the command line: Unix sockets, and named pipes on Windows.
#[derive(Debug, Parser)]
#[command(name = "ipc", version, about, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, after_help = format!("{EXAMPLES}\n\n{NAMES}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Listen(Listen),
    Connect(Connect),
    Demo(Demo),
    #[command(hide = true)]
    DemoClient(DemoClient),
}

/// Wait for a client, send it stdin, and write what it sends to stdout.
#[derive(Debug, Parser)]
#[command(after_help = format!("{NAMES}\n\n{ENDS}\n\n{EXIT_CODES}"))]
pub(crate) struct Listen {
    /// Where to listen: @NAME, or a path
    #[arg(value_name = "NAME", value_parser = name_parser())]
    pub(crate) name: Name<'static>,

    /// Serve one client, then exit; the default
    #[arg(long, conflicts_with = "keep")]
    pub(crate) once: bool,

    /// Serve one client after the other, for ever
    ///
    /// Others wait meanwhile. Stdin goes to whoever is connected when it is
    /// read; when it has ended, later clients are only received from.
    /// A connection that breaks is reported, and the next client is served.
    #[arg(long, short, verbatim_doc_comment)]
    pub(crate) keep: bool,

    /// How long to wait for a client, the first and each later one; for ever if not given
    #[arg(long, short, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Permissions of the socket file, such as 660; not on Windows
    ///
    /// Write permission for the group or for others also admits them, unless
    /// --access says who is admitted.
    #[arg(long, verbatim_doc_comment, value_name = "OCTAL", value_parser = parse_mode)]
    pub(crate) mode: Option<u32>,

    /// Who may connect [default: owner]
    #[arg(long, value_name = "WHO")]
    pub(crate) access: Option<Who>,

    /// Take the name even from a listener that is alive; it keeps its connections
    ///
    /// Works for names that are files. A name that a dead process left behind
    /// is taken over in any case.
    #[arg(long, verbatim_doc_comment)]
    pub(crate) steal: bool,

    #[command(flatten)]
    pub(crate) relay: Relay,
}

/// Connect to a listener, send it stdin, and write what it sends to stdout.
#[derive(Debug, Parser)]
#[command(after_help = format!("{NAMES}\n\n{ENDS}\n\n{EXIT_CODES}"))]
pub(crate) struct Connect {
    /// Where to connect: @NAME, or a path
    #[arg(value_name = "NAME", value_parser = name_parser())]
    pub(crate) name: Name<'static>,

    /// Wait for a listener that is not there yet, for no longer than --timeout
    #[arg(long, short)]
    pub(crate) wait: bool,

    /// How long connecting may take; for ever if not given
    #[arg(long, short, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,

    /// Send nothing unless the server runs as this user, or is root, an administrator or the system
    #[arg(long)]
    pub(crate) require_same_user: bool,

    #[command(flatten)]
    pub(crate) relay: Relay,
}

/// What `listen` and `connect` have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct Relay {
    /// Give up when nothing has been sent or received for this long
    #[arg(long, short, value_name = "DURATION", value_parser = parse_nonzero_duration)]
    pub(crate) idle_timeout: Option<Duration>,

    /// Once one direction has ended, how long the other may be silent [default: 500ms]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) linger: Option<Duration>,

    /// Say on stderr who connects and how much was transferred
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// Show that it works, and how fast: a server and several client processes exchange data.
#[derive(Debug, Parser)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Demo {
    /// How many client processes
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) clients: u32,

    /// Take only a moment, and measure less exactly
    #[arg(long, short)]
    pub(crate) quick: bool,
}

/// A client of the demonstration, which starts it.
#[derive(Debug, Parser)]
pub(crate) struct DemoClient {
    /// Where the server listens
    #[arg(value_parser = name_parser())]
    pub(crate) name: Name<'static>,

    /// Which client this is, from 0
    pub(crate) index: u32,

    /// A directory to remove if the server is killed
    #[arg(long)]
    pub(crate) remove: Option<PathBuf>,
}

/// Who may connect.
#[derive(Copy, Clone, Debug, ValueEnum)]
pub(crate) enum Who {
    /// This user and the administrators
    Owner,
    /// Members of the group, too
    Group,
    /// Every user of the machine
    Everyone,
}

impl From<Who> for Access {
    fn from(who: Who) -> Self {
        match who {
            Who::Owner => Self::Owner,
            Who::Group => Self::Group,
            Who::Everyone => Self::Everyone,
        }
    }
}

fn name_parser() -> impl TypedValueParser<Value = Name<'static>> {
    OsStringValueParser::new().try_map(|text: OsString| text.to_name())
}

/// "500ms", "5s", "1.5m", "2h".
fn parse_duration(text: &str) -> Result<Duration, String> {
    const HELP: &str = "write a number and a unit: ms, s, m or h, as in 500ms";

    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).ok_or(HELP)?;
    let (number, unit) = text.split_at(unit_at);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(HELP.to_owned()),
    };
    let is_decimal = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = number.parse().ok().filter(|_| is_decimal).ok_or(HELP)?;
    Duration::try_from_secs_f64(number * seconds_per_unit).map_err(|_| "that is too long".to_owned())
}

fn parse_nonzero_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("that is no time at all".to_owned()),
        duration => Ok(duration),
    }
}

fn parse_mode(text: &str) -> Result<u32, String> {
    if cfg!(windows) {
        return Err("there are no file modes on Windows; --access says who may connect".to_owned());
    }
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777 && !text.starts_with('+'))
        .ok_or_else(|| "write octal digits, at most 777, as in 660".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        let parsed = |text| parse_duration(text).unwrap();
        assert_eq!(parsed("500ms"), Duration::from_millis(500));
        assert_eq!(parsed("5s"), Duration::from_secs(5));
        assert_eq!(parsed("1.5m"), Duration::from_secs(90));
        assert_eq!(parsed("2h"), Duration::from_secs(7200));
        assert_eq!(parsed("0s"), Duration::ZERO);
        for wrong in ["", "5", "s", "-1s", "1e3s", "5 s", "5d", "1.2.3s", "infs", "nans"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
        assert!(parse_duration(&format!("{}h", "9".repeat(30))).unwrap_err().contains("too long"));
        assert!(parse_nonzero_duration("0ms").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_octal_permissions() {
        assert_eq!(parse_mode("660"), Ok(0o660));
        assert_eq!(parse_mode("0600"), Ok(0o600));
        for wrong in ["", "668", "1777", "rw", "-1", "+7"] {
            assert!(parse_mode(wrong).is_err(), "{wrong:?}");
        }
    }
}
