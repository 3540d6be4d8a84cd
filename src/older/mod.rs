//! Names and traits of older crates, for code that was written for them: aliases and thin implementations over what this crate
//! has under other names, and nothing else. They are public where those crates have them.

pub(crate) mod two;
