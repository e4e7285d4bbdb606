//! The scans of a file shared by two threads.
//!
//! Another thread begins rows of MCUs with the first scans; the one that makes pixels asks for them in their order. The
//! last scans are added to a row by the thread that comes to it first: the one that asks for the row, or the other one
//! where it has no row to begin. So both are busy whatever the scans and the pixels take.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Irregular, Part, Store};
use crate::ahead::in_two_threads;

/// A row of MCUs, or why there is none.
type Row = Result<Store, Irregular>;

/// The scans that are added to rows which are begun, one row after another.
struct LastScans {
    part: Part,
    begun: Receiver<Row>,
    /// Rows to which the other thread has added them.
    done: VecDeque<Row>,
}

impl LastScans {
    fn add(&mut self, begun: Row) -> Row {
        let mut row = begun?;
        self.part.add(&mut row)?;
        Ok(row)
    }

    /// Adds them to the next row, if one is begun; whether one was.
    fn add_to_next(&mut self) -> bool {
        // After an error nobody asks for more.
        if matches!(self.done.back(), Some(Err(_))) {
            return false;
        }
        let Ok(begun) = self.begun.try_recv() else { return false };
        let row = self.add(begun);
        self.done.push_back(row);
        true
    }
}

/// The rows to the thread that makes pixels.
pub(in crate::decode::jpeg) struct SharedRows {
    free: Sender<Store>,
    last: Arc<Mutex<LastScans>>,
}

impl SharedRows {
    /// Runs `use_it` on the next row.
    pub fn row(&self, use_it: impl FnOnce(&mut Store)) -> Result<(), Irregular> {
        let mut row = self.next()?;
        use_it(&mut row);
        // Nobody may need it any more.
        let _ = self.free.send(row);
        Ok(())
    }

    fn next(&self) -> Row {
        // While this waits for a row, the other thread has one to begin, and does not ask for the lock.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = last.done.pop_front() {
            return row;
        }
        let begun = last.begun.recv().map_err(|_| Irregular)?;
        last.add(begun)
    }
}

/// The rows to the thread that begins them.
struct Begin {
    part: Part,
    free: Receiver<Store>,
    begun: Sender<Row>,
    last: Arc<Mutex<LastScans>>,
}

impl Begin {
    fn run(mut self, rows: usize) {
        for _ in 0..rows {
            let Some(mut row) = self.free() else { return };
            row.clear();
            let read = self.part.add(&mut row);
            let is_over = read.is_err();
            // Nobody may want it any more.
            let _ = self.begun.send(read.map(|()| row));
            if is_over {
                return;
            }
        }
    }

    /// A row to begin, once there is one; `None` where no more are wanted.
    fn free(&self) -> Option<Store> {
        loop {
            match self.free.try_recv() {
                Ok(row) => return Some(row),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if !self.last.try_lock().is_ok_and(|mut last| last.add_to_next()) {
                return self.free.recv().ok();
            }
        }
    }
}

/// Has another thread begin `count` rows of MCUs with the scans of `first`, in `rows`, and runs `take` in this one. `None`
/// where the system grants no thread.
pub(super) fn share<R>(
    first: Part,
    last: Part,
    rows: Vec<Store>,
    count: usize,
    take: impl FnOnce(SharedRows) -> R,
) -> Option<R> {
    let (free, to_begin) = channel();
    let (begun, to_end) = channel();
    rows.into_iter().for_each(|row| free.send(row).expect("its receiver is here"));
    let last = Arc::new(Mutex::new(LastScans { part: last, begun: to_end, done: VecDeque::new() }));
    let begin = Begin { part: first, free: to_begin, begun, last: last.clone() };
    in_two_threads(|| begin.run(count), || take(SharedRows { free, last }))
}
