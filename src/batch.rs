//! Many images at once, on a pool of threads of our own.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwapOption;
use rayon::ThreadPool;

/// Calls `work` with each index and its piece of `out`, in `threads` threads at the most.
///
/// One thread is the calling one.
pub fn for_each<T: Send>(
    out: &mut [T],
    piece: usize,
    threads: NonZeroUsize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    let count = out.len() / piece;
    let threads = threads.get().min(count);
    if threads <= 1 {
        out.chunks_exact_mut(piece).enumerate().for_each(|(index, piece)| work(index, piece));
        return;
    }
    let queue = Mutex::new(out.chunks_exact_mut(piece).enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || {
        while let Some((index, piece)) = next() {
            work(index, piece);
        }
    };
    pool(threads).scope(|scope| (0..threads).for_each(|_| scope.spawn(|_| drain())));
}

/// As many threads as this process may use: its affinity and its container's quota count.
pub fn default_threads() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

struct Pool {
    process: u32,
    threads: ThreadPool,
}

/// A pool of at least `threads` threads. After a fork the parent's threads are gone and a new pool
/// is made; no lock is held here that the fork could have left locked.
fn pool(threads: usize) -> &'static ThreadPool {
    static CURRENT: ArcSwapOption<&'static Pool> = ArcSwapOption::const_empty();
    let process = std::process::id();
    if let Some(pool) = CURRENT.load().as_deref()
        && pool.process == process
        && pool.threads.current_num_threads() >= threads
    {
        return &pool.threads;
    }
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(default_threads().get()))
        .thread_name(|index| format!("clipprep-{index}"))
        .build()
        .expect("the system grants threads");
    // Never dropped: dropping would wait for threads, which after a fork are not there.
    let pool: &'static Pool = Box::leak(Box::new(Pool { process, threads }));
    CURRENT.store(Some(Arc::new(pool)));
    &pool.threads
}
