//! Whose code it is.

use std::io;

/// Who does the work of a case.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Ours,
    /// The system calls, by rustix or libc.
    Raw,
    /// The standard library.
    Std,
    /// The crate of this name as it was published as 2.4.7.
    Old,
    /// Loopback TCP, by std.
    Tcp,
    IpcChannel,
    /// `tokio::net`.
    Tokio,
    AsyncNet,
}

impl Peer {
    /// In the order of the variants.
    pub(crate) const ALL: [Self; 8] = [
        Self::Ours,
        Self::Raw,
        Self::Std,
        Self::Old,
        Self::Tcp,
        Self::IpcChannel,
        Self::Tokio,
        Self::AsyncNet,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Raw => "raw",
            Self::Std => "std",
            Self::Old => "interprocess-2",
            Self::Tcp => "tcp",
            Self::IpcChannel => "ipc-channel",
            Self::Tokio => "tokio",
            Self::AsyncNet => "async-net",
        }
    }

    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            io::Error::new(io::ErrorKind::InvalidInput, format!("no peer named {text}; there are {names}"))
        })
    }

    /// Is it part of this build?
    pub(crate) fn is_there(self) -> bool {
        match self {
            Self::Ours | Self::Tcp => true,
            Self::Raw | Self::Std | Self::Tokio | Self::AsyncNet => cfg!(unix),
            Self::Old => cfg!(has_old),
            Self::IpcChannel => cfg!(has_ipc_channel),
        }
    }

    /// It has nothing of the kind.
    pub(crate) fn cannot(self) -> io::Error {
        io::Error::new(io::ErrorKind::Unsupported, format!("{} does not do that here", self.name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_where_their_number_says() {
        for (index, peer) in Peer::ALL.into_iter().enumerate() {
            assert_eq!(peer as usize, index);
            assert_eq!(Peer::parse(peer.name()).unwrap(), peer);
        }
        assert!(Peer::parse("nobody").is_err());
    }
}
