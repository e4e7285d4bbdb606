//! Stopping work that is under way: a token that is polled between blocks of rows.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::ahead::in_two_threads;
use crate::error::{Error, Result};

/// How long a watching thread goes on, at most about, before it asks again.
pub(crate) const PERIOD: Duration = Duration::from_millis(20);
/// Polls of a watching thread between two looks at the clock.
const STRIDE: u32 = 8;

/// Tells work to stop. Images that are worked on in [`Interrupt::during`] end with
/// [`Error::Interrupted`] soon after it is raised.
///
/// ```
/// use std::sync::Arc;
///
/// use clipprep::interrupt::Interrupt;
/// use clipprep::{Error, Preprocess, Spec};
///
/// let interrupt = Arc::new(Interrupt::default());
/// interrupt.raise();
/// let preprocess = Preprocess::new(Spec::openai(1));
/// let result = interrupt.during(|| preprocess.process_bytes(b"P5 1 1 255 \x80", &mut [0_u8; 3]));
/// assert!(matches!(result, Err(Error::Interrupted)));
/// ```
#[derive(Default)]
pub struct Interrupt {
    raised: AtomicBool,
    watch: Option<Box<dyn Fn() -> bool + Send + Sync>>,
}

impl Interrupt {
    /// A token that is also raised when `watch` says so, which the thread that waits for the work is
    /// asked to call every 20 ms.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// use clipprep::interrupt::Interrupt;
    ///
    /// let start = Instant::now();
    /// let interrupt = Interrupt::watching(move || start.elapsed() > Duration::from_secs(10));
    /// assert!(!interrupt.is_raised());
    /// ```
    pub fn watching(watch: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { watch: Some(Box::new(watch)), ..Self::default() }
    }

    /// Stops the work, for good.
    ///
    /// ```
    /// let interrupt = clipprep::interrupt::Interrupt::default();
    /// interrupt.raise();
    /// assert!(interrupt.is_raised());
    /// ```
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to stop.
    ///
    /// ```
    /// assert!(!clipprep::interrupt::Interrupt::default().is_raised());
    /// ```
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed)
    }

    /// Asks what it watches.
    pub(crate) fn ask(&self) {
        if self.watch.as_ref().is_some_and(|watch| watch()) {
            self.raise();
        }
    }

    /// Runs `work`, which stops when this is raised.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// let interrupt = Arc::new(clipprep::interrupt::Interrupt::default());
    /// assert_eq!(interrupt.during(|| 1 + 1), 2);
    /// ```
    pub fn during<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        enter(Current { interrupt: self.clone(), clock: None }, work)
    }

    /// The same in the thread that is to watch.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use clipprep::interrupt::Interrupt;
    /// use clipprep::{Preprocess, Spec};
    ///
    /// let interrupt = Arc::new(Interrupt::watching(|| false));
    /// let preprocess = Preprocess::new(Spec::openai(1));
    /// let work = || preprocess.process_bytes(b"P5 1 1 255 \x80", &mut [0_u8; 3]);
    /// assert!(interrupt.during_watched(work).is_ok());
    /// ```
    pub fn during_watched<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let clock = self.watch.is_some().then(Clock::default);
        enter(Current { interrupt: self.clone(), clock }, work)
    }
}

/// The interrupt that stops this thread's work.
struct Current {
    interrupt: Arc<Interrupt>,
    clock: Option<Clock>,
}

impl Current {
    /// Asks what the interrupt watches, unless that is who is asking.
    fn ask(&self, clock: &Clock) {
        if !clock.is_asking.replace(true) {
            self.interrupt.ask();
            clock.is_asking.set(false);
        }
    }
}

#[derive(Default)]
struct Clock {
    polls: Cell<u32>,
    due: Cell<Option<Instant>>,
    /// Whether somebody is being asked, who may process an image meanwhile: it does not ask again.
    is_asking: Cell<bool>,
}

impl Clock {
    /// Whether it is time to ask again.
    fn rings(&self) -> bool {
        let polls = self.polls.get();
        self.polls.set(polls.wrapping_add(1));
        if !polls.is_multiple_of(STRIDE) {
            return false;
        }
        let now = Instant::now();
        let due = self.due.get();
        if due.is_none_or(|due| now >= due) {
            self.due.set(Some(now + PERIOD));
        }
        due.is_some_and(|due| now >= due)
    }
}

thread_local! {
    static CURRENT: Cell<Option<Rc<Current>>> = const { Cell::new(None) };
}

fn current() -> Option<Rc<Current>> {
    let current = CURRENT.take();
    CURRENT.set(current.clone());
    current
}

fn enter<T>(current: Current, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rc<Current>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _outer = Restore(CURRENT.replace(Some(Rc::new(current))));
    work()
}

/// An error where the work of this thread is to stop.
///
/// The function that watches may run any code, such as a signal handler that processes an image of its own in this
/// thread: so nothing is borrowed here meanwhile.
pub(crate) fn check() -> Result<()> {
    let Some(current) = current() else { return Ok(()) };
    if let Some(clock) = current.clock.as_ref().filter(|clock| clock.rings()) {
        current.ask(clock);
    }
    if current.interrupt.is_raised() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Runs `work` in a thread of its own where this one watches, and watches until it is done. Handlers of signals run in
/// the thread that watches, and may raise between any two steps of Python's: work that must not be cut off there, such
/// as that with locks of Python's, is done apart.
///
/// ```
/// use std::sync::Arc;
///
/// use clipprep::interrupt::{Interrupt, apart};
///
/// let interrupt = Arc::new(Interrupt::watching(|| false));
/// assert_eq!(interrupt.during_watched(|| apart(|| 1 + 1)), 2);
/// ```
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let Some(current) = current() else { return work() };
    let Some(clock) = &current.clock else { return work() };
    let token = Arc::new(Interrupt::default());
    let (mut work, mut done) = (Some(work), None);
    let (to_do, result) = (&mut work, &mut done);
    let (sender, ended) = channel::<()>();
    let other = {
        let token = token.clone();
        move || {
            // It is dropped at the end, however that comes.
            let _sender = sender;
            *result = to_do.take().map(|work| token.during(work));
        }
    };
    let _granted = in_two_threads(other, || {
        while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
            current.ask(clock);
            if current.interrupt.is_raised() {
                token.raise();
            }
        }
    });
    // Where the system grants no thread, this one has to do.
    done.or_else(|| work.map(|work| work())).expect("one of the two has run it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_is_not_asked_again_meanwhile() {
        use std::sync::atomic::AtomicUsize;

        let (inside, asked) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let counter = asked.clone();
        let interrupt = Arc::new(Interrupt::watching(move || {
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
            let end = Instant::now() + 2 * PERIOD;
            while Instant::now() < end {
                check().unwrap();
            }
            inside.fetch_sub(1, Ordering::Relaxed);
            counter.fetch_add(1, Ordering::Relaxed);
            false
        }));
        interrupt.during_watched(|| {
            while asked.load(Ordering::Relaxed) < 3 {
                check().unwrap();
            }
        });
    }

    #[test]
    fn stops_the_work_inside_and_no_other() {
        let interrupt = Arc::new(Interrupt::default());
        interrupt.during(|| {
            assert!(check().is_ok());
            interrupt.raise();
            assert!(matches!(check(), Err(Error::Interrupted)));
            Arc::new(Interrupt::default()).during(|| assert!(check().is_ok(), "another's work"));
            assert!(check().is_err());
        });
        assert!(check().is_ok(), "no one's work");
    }

    #[test]
    fn what_is_watched_may_do_such_work_itself() {
        let inner = || Arc::new(Interrupt::watching(|| check().is_err()));
        let interrupt = Arc::new(Interrupt::watching(move || {
            inner().during_watched(|| assert!(check().is_ok()));
            check().is_ok()
        }));
        interrupt.during_watched(|| while check().is_ok() {});
        assert!(interrupt.is_raised());
        assert!(check().is_ok(), "no one's work");
    }

    #[test]
    fn work_apart_is_stopped_by_who_watches() {
        let here = std::thread::current().id();
        let elsewhere = || std::thread::current().id() != here;
        assert!(!apart(elsewhere), "nobody watches");
        assert!(!Arc::new(Interrupt::default()).during(|| apart(elsewhere)), "a worker does not watch");
        assert!(Arc::new(Interrupt::watching(|| false)).during_watched(|| apart(elsewhere)));
        let watching = Arc::new(Interrupt::watching(move || std::thread::current().id() == here));
        watching.during_watched(|| apart(|| while check().is_ok() {}));
        assert!(watching.is_raised());
    }

    #[test]
    fn the_watching_thread_asks_in_time() {
        let interrupt = Arc::new(Interrupt::watching(|| true));
        interrupt.during(|| assert!(check().is_ok(), "a worker does not ask"));
        let (start, mut late) = (Instant::now(), 0);
        interrupt.during_watched(|| {
            assert!(check().is_ok());
            let first = Instant::now();
            while check().is_ok() {
                late += u32::from(first.elapsed() > PERIOD);
            }
        });
        assert!(start.elapsed() >= PERIOD);
        assert!(late <= STRIDE);
    }
}
