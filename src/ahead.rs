//! Work in threads on one image: one makes pieces, the one that calls takes them in their order, and others may help.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;

use crate::limits::Limits;

/// Bytes of a thread: its stack, of which little is used, and what the C library and the allocator keep for it.
const MEMORY: u64 = 4 << 20;

/// What the thread that makes has of the other one.
pub(crate) struct Maker<P, E> {
    free: Receiver<P>,
    made: Sender<Result<P, E>>,
}

impl<P, E> Maker<P, E> {
    /// A piece to be made, once one is free; `None` where no more are wanted.
    pub fn free(&self) -> Option<P> {
        self.free.recv().ok()
    }

    /// Hands over a piece that is made, or why it could not be.
    pub fn hand_over(&self, made: Result<P, E>) {
        // Nobody may want it any more.
        let _ = self.made.send(made);
    }
}

/// What the thread that takes has of the other one.
pub(crate) struct Taker<P, E> {
    free: Sender<P>,
    made: Receiver<Result<P, E>>,
}

impl<P, E> Taker<P, E> {
    /// Runs `use_it` on the next piece; `None` where the other thread has ended. As long as no piece is ready, it calls
    /// `meanwhile`, until that returns that it has nothing to do.
    pub fn with_next<R>(
        &self,
        mut meanwhile: impl FnMut() -> bool,
        use_it: impl FnOnce(&mut P) -> R,
    ) -> Option<Result<R, E>> {
        let made = loop {
            match self.made.try_recv() {
                Ok(made) => break made,
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if !meanwhile() {
                break self.made.recv().ok()?;
            }
        };
        Some(made.map(|mut piece| {
            let used = use_it(&mut piece);
            // Nobody may need it any more.
            let _ = self.free.send(piece);
            used
        }))
    }
}

/// Runs `make` in a thread of its own, each of `helpers` in another, as far as the system grants them, and `take` in this
/// one. There are never more pieces than `pieces`, which are made again and again. `None` where the system grants no
/// thread: then none has run.
///
/// `make` ends soon after `take` does, which drops its end of the queue, and helpers have to end soon after `make`.
pub(crate) fn ahead<P: Send, E: Send, R>(
    pieces: impl IntoIterator<Item = P>,
    make: impl FnOnce(Maker<P, E>) + Send,
    helpers: impl IntoIterator<Item: FnOnce() + Send>,
    take: impl FnOnce(Taker<P, E>) -> R,
) -> Option<R> {
    let (free, to_make) = channel();
    let (made, to_take) = channel();
    pieces.into_iter().for_each(|piece| free.send(piece).expect("its receiver is here"));
    let maker = Maker { free: to_make, made };
    thread::scope(|scope| {
        thread()?.spawn_scoped(scope, || make(maker)).ok()?;
        for help in helpers {
            if thread().and_then(|thread| thread.spawn_scoped(scope, help).ok()).is_none() {
                break;
            }
        }
        Some(take(Taker { free, made: to_take }))
    })
}

/// Runs `other` in a thread of its own, and `this` in this one. `None` where the system grants no thread: then neither
/// has run.
///
/// `other` has to end soon after `this` does.
pub(crate) fn in_two_threads<R>(other: impl FnOnce() + Send, this: impl FnOnce() -> R) -> Option<R> {
    thread::scope(|scope| {
        thread()?.spawn_scoped(scope, other).ok()?;
        Some(this())
    })
}

/// A thread to be, where there is memory for one: the C library aborts the process where there is none for the storage
/// of a thread that it has started.
fn thread() -> Option<thread::Builder> {
    Limits::check_room("a thread", MEMORY).ok()?;
    Some(thread::Builder::new().name("clipprep-ahead".into()))
}

/// No helpers.
pub(crate) const NONE: [fn(); 0] = [];

#[cfg(test)]
mod tests {
    use super::*;

    fn count(maker: &Maker<Vec<usize>, ()>, to: usize) {
        for number in 0..to {
            let Some(mut piece) = maker.free() else { return };
            piece.push(number);
            maker.hand_over(Ok(piece));
        }
    }

    #[test]
    fn pieces_come_in_order_and_are_made_again() {
        let taken = ahead(
            [vec![], vec![]],
            |maker| count(&maker, 9),
            NONE,
            |taker| {
                let mut taken = Vec::new();
                while let Some(Ok(piece)) = taker.with_next(|| false, |piece| piece.clone()) {
                    taken.push(piece);
                }
                taken
            },
        );
        let taken = taken.expect("a thread");
        assert_eq!(taken.len(), 9);
        assert!(taken.iter().enumerate().all(|(number, piece)| piece.last() == Some(&number)));
        assert_eq!(taken.iter().filter(|piece| piece.len() == 1).count(), 2, "the first time of each piece");
    }

    #[test]
    fn who_takes_no_more_ends_it() {
        let taken = ahead(
            [vec![]],
            |maker| count(&maker, usize::MAX),
            NONE,
            |taker| taker.with_next(|| false, |_| ()),
        );
        assert_eq!(taken, Some(Some(Ok(()))));
    }

    #[test]
    fn an_error_comes_after_what_was_made() {
        let make = |maker: Maker<u8, &str>| {
            maker.hand_over(Ok(maker.free().expect("a piece") + 1));
            maker.hand_over(Err("no more"));
        };
        let take = |taker: Taker<u8, _>| [(); 3].map(|()| taker.with_next(|| false, |piece| *piece));
        assert_eq!(ahead([1], make, NONE, take), Some([Some(Ok(2)), Some(Err("no more")), None]));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_reaches_the_caller() {
        ahead([()], |_: Maker<(), ()>| panic!("bytes"), NONE, |taker| taker.with_next(|| false, |_| ()));
    }

    #[test]
    fn helpers_run_beside_both() {
        let (told, heard) = channel();
        let help = |number| {
            let told = told.clone();
            move || told.send(number).unwrap()
        };
        let take = |taker: Taker<(), ()>| {
            let heard: Vec<usize> = heard.iter().take(2).collect();
            (heard.iter().sum::<usize>(), taker.with_next(|| false, |_| ()))
        };
        let taken = ahead([()], |maker: Maker<(), ()>| drop(maker), [1, 2].map(help), take);
        assert_eq!(taken, Some((3, None)));
    }
}
