//! Tasks that wait for what no reactor tells.

use std::{
    future::poll_fn,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Tasks that wait for something that happens once.
#[derive(Debug, Default)]
pub struct WakerList(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    /// `None`: the place is free, or who has it was woken, or does not wait yet.
    wakers: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl WakerList {
    /// For one who may come to wait. Nothing is remembered of it when it is dropped.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        Waiting { list: self, place: None }
    }

    pub(crate) fn wake(&self) {
        let woken: Vec<_> = self.lock().wakers.iter_mut().filter_map(Option::take).collect();
        woken.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a [`WakerList`], once it is needed.
#[derive(Debug)]
pub(crate) struct Waiting<'l> {
    list: &'l WakerList,
    place: Option<usize>,
}

impl Waiting<'_> {
    /// This task is woken from now on. Whether what it waits for has happened is to be looked at after that.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        let mut places = self.list.lock();
        let place = *self.place.get_or_insert_with(|| {
            places.free.pop().unwrap_or_else(|| {
                places.wakers.push(None);
                places.wakers.len() - 1
            })
        });
        let known = &mut places.wakers[place];
        if known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let before = known.replace(waker.clone());
        // What a waker does when it is dropped is not known.
        drop(places);
        drop(before);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let mut places = self.list.lock();
            let waker = places.wakers[place].take();
            places.free.push(place);
            drop(places);
            drop(waker);
        }
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

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn everybody_who_waits_is_woken_once_and_who_has_left_is_not() {
        let list = WakerList::default();
        let tasks: Vec<_> = (0..100).map(|_| Arc::new(Task::default())).collect();
        let mut waiting: Vec<_> = tasks
            .iter()
            .map(|task| {
                let mut waiting = list.waiting();
                waiting.wait(&Arc::clone(task).into());
                // Polled again, with the same waker and with another.
                waiting.wait(&Arc::new(Task::default()).into());
                waiting.wait(&Arc::clone(task).into());
                waiting
            })
            .collect();
        waiting.truncate(50);
        list.wake();
        list.wake();
        for (index, task) in tasks.iter().enumerate() {
            assert_eq!(task.0.load(Relaxed), usize::from(index < 50), "{index}");
        }
        // Who waits again is woken again.
        waiting[7].wait(&Arc::clone(&tasks[7]).into());
        list.wake();
        assert_eq!(tasks[7].0.load(Relaxed), 2);
    }

    #[test]
    fn the_list_is_no_longer_than_there_were_tasks_at_once() {
        let list = WakerList::default();
        for _ in 0..10_000 {
            let mut waiting = [list.waiting(), list.waiting(), list.waiting()];
            for waiting in &mut waiting[1..] {
                waiting.wait(&Arc::new(Task::default()).into());
            }
        }
        assert_eq!(list.lock().wakers.len(), 2);
        assert!(list.lock().wakers.iter().all(Option::is_none));
    }
}
