//! Tasks that wait for what no reactor tells.

use std::{
    future::poll_fn,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Tasks that wait for something that happens once.
#[derive(Debug, Default)]
pub struct WakerList(Mutex<Wakers>);

#[derive(Debug, Default)]
struct Wakers {
    tasks: Vec<Waker>,
    /// How many there may be before those that gave up, and did not say so, have to be sorted out.
    limit: usize,
}

impl WakerList {
    pub(crate) fn add(&self, waker: &Waker) {
        const LEAST_LIMIT: usize = 32;

        let mut wakers = self.lock();
        if wakers.tasks.iter().any(|other| other.will_wake(waker)) {
            return;
        }
        let mut woken = Vec::new();
        if wakers.tasks.len() >= wakers.limit.max(LEAST_LIMIT) {
            // All are woken to ask again. Should all still wait, the next time is twice as far.
            woken = mem::take(&mut wakers.tasks);
            wakers.limit = woken.len() * 2;
        }
        wakers.tasks.push(waker.clone());
        drop(wakers);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn wake(&self) {
        let woken = mem::take(&mut self.lock().tasks);
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Wakers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets other tasks run.
pub(crate) async fn yield_now() {
    let mut is_second = false;
    poll_fn(|cx| {
        if mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Does what only a call that waits can do, on a thread of its own. That goes on if the future is dropped.
#[cfg(windows)]
pub(crate) async fn on_thread<X: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<X> + Send + 'static,
) -> std::io::Result<X> {
    struct Slot<X> {
        result: Option<std::io::Result<X>>,
        waker: Option<Waker>,
    }
    fn lock<X>(slot: &Mutex<Slot<X>>) -> MutexGuard<'_, Slot<X>> {
        slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    let slot = std::sync::Arc::new(Mutex::new(Slot { result: None, waker: None }));
    let theirs = std::sync::Arc::clone(&slot);
    std::thread::Builder::new().spawn(move || {
        let result = work();
        let mut slot = lock(&theirs);
        slot.result = Some(result);
        let waker = slot.waker.take();
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    })?;
    poll_fn(|cx| {
        let mut slot = lock(&slot);
        match slot.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    /// A task that asks again whenever it is woken.
    struct Task {
        list: Arc<WakerList>,
        woken: AtomicUsize,
    }

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.woken.fetch_add(1, Relaxed);
            // Only so often, for the test to end if they wake each other for ever.
            if self.woken.load(Relaxed) < 100 {
                let list = Arc::clone(&self.list);
                list.add(&self.into());
            }
        }
    }

    #[test]
    fn many_waiting_tasks_do_not_wake_each_other_for_ever() {
        let list = Arc::new(WakerList::default());
        let new = || Arc::new(Task { list: Arc::clone(&list), woken: AtomicUsize::new(0) });
        let tasks: Vec<_> = (0..200).map(|_| new()).collect();
        for task in &tasks {
            list.add(&Arc::clone(task).into());
        }
        assert!(tasks.iter().all(|task| task.woken.load(Relaxed) < 10));
        assert_eq!(list.lock().tasks.len(), tasks.len());
        let before: usize = tasks.iter().map(|task| task.woken.load(Relaxed)).sum();
        list.wake();
        let after: usize = tasks.iter().map(|task| task.woken.load(Relaxed)).sum();
        assert_eq!(after - before, tasks.len());
    }
}
