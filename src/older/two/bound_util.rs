//! Bounds that say what a reference to a type can do, for code that is generic over [`traits`](crate::local_socket::traits).
//!
//! New code says it with a bound: `where for<'a> &'a S: Read`.
//!
//! ```
//! use interprocess::bound_util::RefRead;
//! use std::io::Read;
//!
//! fn first_byte<S: RefRead>(stream: &S) -> std::io::Result<u8> {
//!     let mut byte = [0];
//!     stream.as_read().read_exact(&mut byte)?;
//!     Ok(byte[0])
//! }
//! # use interprocess::unnamed_pipe::pipe;
//! # let (sender, recver) = pipe()?;
//! # sender.send(b"x")?;
//! assert_eq!(first_byte(&recver)?, b'x');
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io::{Read, Write};
#[cfg(feature = "tokio")]
use tokio::io::{AsyncRead, AsyncWrite};

/// `&Self` is [`Read`].
pub trait RefRead {
    #[doc(hidden)]
    type Read<'a>: Read
    where
        Self: 'a;

    /// `self`, as something to read from.
    fn as_read(&self) -> Self::Read<'_>;
}

impl<T: ?Sized> RefRead for T
where
    for<'a> &'a T: Read,
{
    type Read<'a>
        = &'a Self
    where
        Self: 'a;

    fn as_read(&self) -> &Self {
        self
    }
}

/// `&Self` is [`Write`].
pub trait RefWrite {
    #[doc(hidden)]
    type Write<'a>: Write
    where
        Self: 'a;

    /// `self`, as something to write to.
    fn as_write(&self) -> Self::Write<'_>;
}

impl<T: ?Sized> RefWrite for T
where
    for<'a> &'a T: Write,
{
    type Write<'a>
        = &'a Self
    where
        Self: 'a;

    fn as_write(&self) -> &Self {
        self
    }
}

/// `&Self` is Tokio's [`AsyncRead`].
#[cfg(feature = "tokio")]
pub trait RefTokioAsyncRead {
    #[doc(hidden)]
    type Read<'a>: AsyncRead
    where
        Self: 'a;

    /// `self`, as something to read from.
    fn as_tokio_async_read(&self) -> Self::Read<'_>;
}

#[cfg(feature = "tokio")]
impl<T: ?Sized> RefTokioAsyncRead for T
where
    for<'a> &'a T: AsyncRead,
{
    type Read<'a>
        = &'a Self
    where
        Self: 'a;

    fn as_tokio_async_read(&self) -> &Self {
        self
    }
}

/// `&Self` is Tokio's [`AsyncWrite`].
#[cfg(feature = "tokio")]
pub trait RefTokioAsyncWrite {
    #[doc(hidden)]
    type Write<'a>: AsyncWrite
    where
        Self: 'a;

    /// `self`, as something to write to.
    fn as_tokio_async_write(&self) -> Self::Write<'_>;
}

#[cfg(feature = "tokio")]
impl<T: ?Sized> RefTokioAsyncWrite for T
where
    for<'a> &'a T: AsyncWrite,
{
    type Write<'a>
        = &'a Self
    where
        Self: 'a;

    fn as_tokio_async_write(&self) -> &Self {
        self
    }
}
