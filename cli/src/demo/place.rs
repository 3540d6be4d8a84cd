//! Where the server of the demonstration listens.

use crate::failure::Failure;
use interprocess::local_socket::{Name, ToName};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
};

/// A name, and the directory that was made for it.
#[derive(Debug)]
pub(crate) struct Place {
    name: Name<'static>,
    directory: Option<Directory>,
}

impl Place {
    pub(crate) fn namespaced() -> Result<Self, Failure> {
        let name = format!("@ipc-demo-{}", process::id()).to_name();
        Ok(Self { name: name.map_err(|error| Failure::io("cannot make a name", &error))?, directory: None })
    }

    /// On Unix, a path in a directory that nobody else can enter.
    pub(crate) fn path() -> Result<Self, Failure> {
        Self::try_path().map_err(|error| Failure::io("cannot make a place for a socket file", &error))
    }

    #[cfg(unix)]
    fn try_path() -> io::Result<Self> {
        let directory = Directory::new()?;
        let name = directory.0.join(FILE).to_name()?;
        Ok(Self { name, directory: Some(directory) })
    }

    /// Pipes leave no files.
    #[cfg(windows)]
    fn try_path() -> io::Result<Self> {
        let name = format!(r"\\.\pipe\ipc-demo-{}-path", process::id()).to_name()?;
        Ok(Self { name, directory: None })
    }

    pub(crate) fn name(&self) -> &Name<'static> {
        &self.name
    }

    /// The name as an argument on a command line.
    pub(crate) fn argument(&self) -> OsString {
        // The path is absolute, so that it does not look like a namespaced name.
        if self.name.is_path() { self.name.as_os_str().to_owned() } else { self.name.to_string().into() }
    }

    /// What is to be removed in the end.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.directory.as_ref().map(|directory| directory.0.as_path())
    }
}

/// The socket file in our directory.
const FILE: &str = "socket";

/// A directory of our own, which is removed in the end.
#[derive(Debug)]
struct Directory(PathBuf);

#[cfg(unix)]
impl Directory {
    fn new() -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let parent = std::path::absolute(std::env::temp_dir())?;
        let mut attempt = 0;
        loop {
            let path = parent.join(format!("ipc-demo-{}-{attempt}", process::id()));
            // Fails if there is anything of that name, so that it is ours if it does not.
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// Removes a directory of ours with the socket in it, and nothing that somebody else has put there.
fn remove(directory: &Path) {
    let _ = fs::remove_file(directory.join(FILE));
    let _ = fs::remove_dir(directory);
}

/// What a client does when the server was killed and could not tidy up.
pub(crate) fn tidy_up(name: &Name<'_>, directory: Option<&Path>) {
    if let Some(directory) = directory {
        remove(directory);
    } else if let Some(file) = name.file() {
        let _ = fs::remove_file(file);
    }
}
