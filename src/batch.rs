//! Many images at once, on a pool of threads of our own.
//!
//! A batch puts as many tickets into the pool's queue as it may have threads. The thread that holds a
//! ticket takes one image after the other; when other batches wait, it hands the ticket back after a
//! slice of time, to the end of the queue, so that batches take turns and a small one is not stuck
//! after a large one.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use rayon::ThreadPool;

use crate::interrupt::{Interrupt, PERIOD};
use crate::normalise::Element;

/// How long a ticket is held when other batches wait.
const SLICE: Duration = Duration::from_millis(5);

/// The most threads of a batch for each core.
const PER_CORE: usize = 4;

/// The most threads of one image: more would wait for the two that hand out codes and make pixels.
const MOST_FOR_ONE: usize = 8;

/// Names the number of threads that a batch has if it does not say.
///
/// ```
/// println!("{}: {:?}", clipprep::batch::THREADS_VARIABLE, clipprep::batch::default_threads());
/// ```
pub const THREADS_VARIABLE: &str = "CLIPPREP_NUM_THREADS";

/// Runs `work` on every item with its piece of `out`, until `interrupt` is raised; returns what failed, by
/// index. Pieces of items that failed are zero.
///
/// The costliest items come first, so that no thread is left with a large one at the end.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use clipprep::batch::try_each;
///
/// let mut out = [9.0_f32; 4];
/// let two = NonZeroUsize::new(2).unwrap();
/// let work = |item: f32, piece: &mut [f32]| {
///     piece.fill(item);
///     if item < 0.0 { Err("negative") } else { Ok(()) }
/// };
/// let failed = try_each(vec![1.0, -1.0], &mut out, 2, two, &Default::default(), |_| 1, work);
/// assert_eq!((out, failed), ([1.0, 1.0, 0.0, 0.0], vec![(1, "negative")]));
/// ```
///
/// # Panics
/// When `out` has fewer pieces than there are items.
pub fn try_each<I: Send, T: Element, E: Send>(
    items: Vec<I>,
    out: &mut [T],
    piece: usize,
    threads: NonZeroUsize,
    interrupt: &Arc<Interrupt>,
    cost: impl Fn(&I) -> u64,
    work: impl Fn(I, &mut [T]) -> Result<(), E> + Sync,
) -> Vec<(usize, E)> {
    let mut order: Vec<_> = (0..items.len()).collect();
    order.sort_by_key(|&index| Reverse(cost(&items[index])));
    let items: Vec<_> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let failed = Mutex::new(Vec::new());
    for_each(out, piece, order, threads, interrupt, |index, piece| {
        let item = items[index].lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Err(error) = work(item.expect("an item is run once"), piece) {
            piece.fill(T::ZERO);
            failed.lock().unwrap_or_else(PoisonError::into_inner).push((index, error));
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.sort_by_key(|(index, _)| *index);
    failed
}

/// Calls `work` with the indices in `order` and their pieces of `out`, in `threads` threads at the most and
/// four for each core, until all are done or `interrupt` is raised. One thread is the calling one; it watches.
///
/// # Panics
/// When `order` names an index twice, or one beyond `out`.
pub(crate) fn for_each<T: Send>(
    out: &mut [T],
    piece: usize,
    order: impl IntoIterator<Item = usize>,
    threads: NonZeroUsize,
    interrupt: &Arc<Interrupt>,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let mut pieces: Vec<_> = out.chunks_exact_mut(piece).map(Some).collect();
    let mut take = |index: usize| (index, pieces[index].take().expect("an index is named once"));
    let queue: Vec<_> = order.into_iter().map(&mut take).collect();
    let pool = pool(threads, queue.len());
    let threads = capped(threads, queue.len());
    let queue = Queue::new(queue);
    let next = || queue.next().filter(|_| !interrupt.is_raised());
    let Some(pool) = pool else {
        interrupt.during_watched(|| {
            while let Some((index, piece)) = next() {
                work(index, piece);
            }
        });
        return;
    };
    let _active = Active::new(&pool.active);
    // Whether all is done for the one who held the ticket.
    let slice = || {
        let start = Instant::now();
        while let Some((index, piece)) = next() {
            work(index, piece);
            if pool.active.load(Ordering::Relaxed) > 1 && start.elapsed() >= SLICE {
                return false;
            }
        }
        true
    };
    let (sender, tickets) = channel();
    pool.threads().in_place_scope(|scope| {
        let issue = || {
            let (ticket, slice) = (Ticket { back: sender.clone(), over: true }, &slice);
            scope.spawn(move |_| ticket.hold(|| interrupt.during(slice)));
        };
        (0..threads).for_each(|_| issue());
        let mut left = threads;
        let mut asked = Instant::now();
        while left > 0 {
            match tickets.recv_timeout(PERIOD) {
                Ok(over) if over => left -= 1,
                Ok(_) => issue(),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if asked.elapsed() >= PERIOD {
                interrupt.ask();
                asked = Instant::now();
            }
        }
    });
}

/// What is to be done, for threads that each take the next. All that they share is one counter: a lock that is taken for
/// each image would hold up tens of threads with images of microseconds.
struct Queue<T> {
    items: Vec<Mutex<Option<T>>>,
    taken: Alone<AtomicUsize>,
}

/// A value that shares no cache line with what is only read, so that writing it costs nobody who reads that.
#[repr(align(128))]
struct Alone<T>(T);

impl<T> Queue<T> {
    fn new(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
        Self { items, taken: Alone(AtomicUsize::new(0)) }
    }

    fn next(&self) -> Option<T> {
        let item = self.items.get(self.taken.0.fetch_add(1, Ordering::Relaxed))?;
        item.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Leave for one thread to work on a batch. However its holder ends, it comes back.
struct Ticket {
    back: Sender<bool>,
    over: bool,
}

impl Ticket {
    fn hold(mut self, slice: impl FnOnce() -> bool) {
        self.over = slice();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // Nobody waits for it where the waiting thread has panicked.
        let _ = self.back.send(self.over);
    }
}

/// Counts a batch for as long as it lives.
struct Active<'a>(&'a AtomicUsize);

impl<'a> Active<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number in [`THREADS_VARIABLE`]; by default as many threads as this process may use, by its affinity
/// and its container's quota. The error is a value that is no number from 1.
///
/// ```
/// let threads = clipprep::batch::default_threads().expect("a number from 1");
/// assert!(threads.get() >= 1);
/// ```
pub fn default_threads() -> Result<NonZeroUsize, String> {
    match std::env::var_os(THREADS_VARIABLE).filter(|value| !value.is_empty()) {
        Some(value) => {
            let value = value.to_string_lossy();
            value.trim().parse().map_err(|_| value.into_owned())
        }
        None => Ok(cores()),
    }
}

/// The threads that a batch of `count` images gets of those that it asks for: more than [`PER_CORE`] for each core would
/// only wait for each other.
fn capped(threads: NonZeroUsize, count: usize) -> usize {
    let threads = threads.get().min(count);
    // Asking for the cores takes time.
    if threads <= PER_CORE {
        return threads;
    }
    threads.min(PER_CORE * cores().get())
}

/// The threads that one image gets of those that it may have: of more than two not more than there are cores, since what
/// is read ahead by a thread that waits for a core is read too late.
pub(crate) fn for_one_image(threads: NonZeroUsize) -> usize {
    match threads.get() {
        few @ ..=2 => few,
        many => many.min(MOST_FOR_ONE).min(cores().get().max(2)),
    }
}

/// As many threads as this process may use, by its affinity and its container's quota.
fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// Starts the threads for a batch of `count` images where there are none yet.
///
/// Starting them takes locks for a moment, which a fork by another thread would leave locked in the
/// child; a caller that can keep others from forking does it here.
///
/// ```
/// clipprep::batch::start(std::num::NonZeroUsize::new(2).unwrap(), 100);
/// ```
pub fn start(threads: NonZeroUsize, count: usize) {
    pool(threads, count);
}

struct Pool {
    process: u32,
    /// Always there, until it is dropped.
    threads: Option<ThreadPool>,
    /// Batches under way.
    active: AtomicUsize,
}

impl Pool {
    fn threads(&self) -> &ThreadPool {
        self.threads.as_ref().expect("the pool is not dropped yet")
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Dropping it ends the threads, which nobody waits for. A forked child has not got them, and
        // has the locks as they were.
        if self.process != std::process::id() {
            std::mem::forget(self.threads.take());
        }
    }
}

/// A pool of at least `threads` threads, as far as they are of use; none where one is enough, and where the system grants no more.
///
/// After a fork the parent's threads are gone and a new pool is made; no lock is held here that the
/// fork could have left locked.
fn pool(threads: NonZeroUsize, count: usize) -> Option<Arc<Pool>> {
    static CURRENT: ArcSwapOption<Pool> = ArcSwapOption::const_empty();
    let threads = capped(threads, count);
    // A pool's thread that waited for others of its pool might wait for ever.
    if threads <= 1 || rayon::current_thread_index().is_some() {
        return None;
    }
    let process = std::process::id();
    if let Some(pool) = CURRENT.load_full()
        && pool.process == process
        && pool.threads().current_num_threads() >= threads
    {
        return Some(pool);
    }
    let built = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("clipprep-{index}"))
        .build()
        .ok()?;
    // The threads' own one-time set-up, made when they first look for work, is done after this.
    built.install(|| ());
    let pool = Arc::new(Pool { process, threads: Some(built), active: AtomicUsize::new(0) });
    CURRENT.store(Some(pool.clone()));
    Some(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn every_piece_is_worked_on_once_in_order() {
        for count in [1, 2, 7] {
            let mut out = vec![0; 3 * 50];
            let seen = Mutex::new(vec![]);
            for_each(&mut out, 3, (0..50).rev(), threads(count), &Arc::default(), |index, piece| {
                piece.iter_mut().for_each(|value| *value += index + 1);
                seen.lock().unwrap().push(index);
            });
            let wanted: Vec<_> = (0..50).flat_map(|index| [index + 1; 3]).collect();
            assert_eq!(out, wanted);
            if count == 1 {
                assert_eq!(seen.into_inner().unwrap(), (0..50).rev().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_interrupt_leaves_the_rest() {
        for count in [1, 2] {
            let interrupt = Arc::new(Interrupt::default());
            let done = AtomicUsize::new(0);
            for_each(&mut [0; 1000], 1, 0..1000, threads(count), &interrupt, |_, _| {
                match done.fetch_add(1, Ordering::Relaxed) {
                    9 => interrupt.raise(),
                    // The thread that raises it may have to wait for a core.
                    10.. => {
                        while !interrupt.is_raised() {
                            std::thread::yield_now()
                        }
                    }
                    _ => {}
                }
            });
            let done = done.into_inner();
            assert!((10..10 + count).contains(&done), "{done} of {count} threads");
        }
    }

    #[test]
    fn a_small_batch_is_not_stuck_behind_a_large_one() {
        let nap = || std::thread::sleep(Duration::from_millis(1));
        let left = AtomicUsize::new(20_000);
        let interrupt = Arc::new(Interrupt::default());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for_each(&mut [0; 20_000], 1, 0..20_000, threads(2), &interrupt, |_, _| {
                    nap();
                    left.fetch_sub(1, Ordering::Relaxed);
                });
            });
            while left.load(Ordering::Relaxed) > 19_950 {
                nap();
            }
            for_each(&mut [0; 10], 1, 0..10, threads(2), &Arc::default(), |_, _| nap());
            let left = left.load(Ordering::Relaxed);
            interrupt.raise();
            assert!(left > 10_000, "the large one is not half done");
        });
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
        let caught = std::panic::catch_unwind(|| {
            for_each(&mut [0; 9], 1, 0..9, threads(2), &Arc::default(), |index, _| assert!(index != 4));
        });
        assert!(caught.is_err());
        for_each(&mut [0; 9], 1, 0..9, threads(2), &Arc::default(), |_, piece| piece[0] = 1);
    }
}
