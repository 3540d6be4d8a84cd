//! What only one OS has.
//!
//! A program that is to run everywhere can still use what one OS has to offer: most of it is in extension traits, so that what is uniform
//! stays so.
//!
//! ```
//! use interprocess::local_socket::ListenerOptions;
//!
//! # let name = format!("@interprocess-doc-os-{}", std::process::id());
//! let options = ListenerOptions::new().name(name);
//! #[cfg(unix)]
//! let options = interprocess::os::unix::local_socket::ListenerOptionsExt::mode(options, 0o660);
//! #[cfg(windows)]
//! let options = interprocess::os::windows::local_socket::ListenerOptionsExt::accept_remote(options, false);
//! let listener = options.create_sync()?;
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
