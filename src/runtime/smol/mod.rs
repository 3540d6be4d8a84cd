//! smol, async-std and every other executor: on Unix the reactor of `async-io`, on Windows only its clock.

#[cfg(unix)]
mod exchange;
#[cfg(unix)]
mod reactor;

use super::{FuturesIo, Runtime, Source, private::Sealed};
use std::time::Duration;

/// Any executor, by way of [`async_io`], which starts its own thread when it needs one.
#[derive(Copy, Clone, Debug)]
pub struct Smol(());

impl Sealed for Smol {}
impl FuturesIo for Smol {}

impl Runtime for Smol {
    #[cfg(unix)]
    type Io<T: Source> = reactor::Io<T>;
    #[cfg(windows)]
    type Io<T: Source> = super::windows::Io<T, Self>;
    type ReopenedIo<T: Source> = Self::Io<T>;

    async fn sleep(duration: Duration) {
        async_io::Timer::after(duration).await;
    }
}
