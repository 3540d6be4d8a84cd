//! Signals for Tokio.
//!
//! ```
//! use interprocess::signal::{Signal, tokio::Signals};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let signals = Signals::catch(Signal::TERMINATION)?;
//! let stopper = signals.stopper();
//! std::thread::spawn(move || stopper.stop());
//! while let Some(received) = signals.next().await {
//!     println!("{received}: finishing what has begun");
//! }
//! # Ok::<(), std::io::Error>(())
//! # })
//! # ?; Ok::<(), std::io::Error>(())
//! ```

/// The async face of [`Signals`](super::Signals).
pub type Signals = crate::runtime::Async<super::Signals, crate::runtime::Tokio>;
