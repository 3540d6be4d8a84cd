//! Local sockets for any executor, as interprocess 1.2 has them. New code uses [`local_socket::smol`](crate::local_socket::smol),
//! whose types these are, but for the listener.
//!
//! ```
//! # #![allow(deprecated)]
//! use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};
//! use interprocess::nonblocking::local_socket::{LocalSocketListener, LocalSocketStream};
//!
//! # let name = format!("@interprocess-doc-nonblocking-{}", std::process::id());
//! # futures_lite::future::block_on(async {
//! let listener = LocalSocketListener::bind(name.clone()).await?;
//! let mut client = LocalSocketStream::connect(name).await?;
//! client.write_all(b"hello").await?;
//!
//! let mut server = listener.incoming().next().await.expect("there is always a next one")?;
//! let mut hello = [0; 5];
//! server.read_exact(&mut hello).await?;
//! assert_eq!(&hello, b"hello");
//! # Ok::<(), std::io::Error>(())
//! # })?;
//! # Ok::<(), std::io::Error>(())
//! ```

/// Local sockets. New code uses [`local_socket::smol`](crate::local_socket::smol).
pub mod local_socket {
    use crate::{
        local_socket::{Listener, ToLocalSocketName, smol},
        runtime::Smol,
    };
    use std::{io, sync::Arc};

    /// A listener. New code uses [`smol::Listener`], whose `bind` does not wait, and so is not async.
    #[derive(Debug)]
    pub struct LocalSocketListener(Arc<smol::Listener>);

    impl LocalSocketListener {
        /// The same as `bind` of [`smol::Listener`].
        ///
        /// # Errors
        /// Those of [`ListenerOptions::create_sync`](crate::local_socket::ListenerOptions::create_sync).
        #[allow(clippy::unused_async, reason = "it is what those await who call it")]
        pub async fn bind(name: impl ToLocalSocketName<'_> + Send + 'static) -> io::Result<Self> {
            smol::Listener::bind(name).map(|listener| Self(Arc::new(listener)))
        }

        /// The same as [`accept`](crate::runtime::Async::accept) of [`smol::Listener`].
        ///
        /// # Cancel safety
        /// If the future is dropped, no client is lost.
        pub async fn accept(&self) -> io::Result<LocalSocketStream> {
            self.0.accept().await
        }

        /// The clients, one after the other, for ever.
        pub fn incoming(&self) -> Incoming {
            Incoming::of(Arc::clone(&self.0))
        }
    }

    /// The clients of a listener, which it owns together with the [`LocalSocketListener`] that it is from. New code uses
    /// [`runtime::Incoming`](crate::runtime::Incoming), too.
    pub type Incoming = crate::runtime::Incoming<'static, Listener, Smol>;

    /// A stream, which has [`AsyncRead`](futures_io::AsyncRead) and [`AsyncWrite`](futures_io::AsyncWrite). New code uses
    /// [`smol::Stream`].
    pub type LocalSocketStream = smol::Stream;
}
