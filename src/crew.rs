//! Threads that wait awake for the next piece of work.
//!
//! A meta-training step takes milliseconds, and another follows at once. To wake a sleeping thread can take as long as the step
//! itself (3 ms of a step of 6 were measured on a virtual machine), so a thread with nothing to do looks out for work for a short
//! time before it sleeps.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

/// How long a thread stays awake without work: longer than what lies between two steps, short beside what a user waits for.
const AWAKE: Duration = Duration::from_millis(2);

/// The calling thread and helpers that do the same work at the same time.
pub struct Crew {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// One piece of work at a time.
    turn: Mutex<()>,
}

struct Shared {
    /// Number of the latest piece of work; `DISMISSED` when there will be no more.
    latest: AtomicU64,
    /// That piece of work.
    work: Mutex<Option<Work>>,
    /// Told when there is a new one.
    called: Condvar,
    /// Helpers that are not done with it.
    busy: AtomicUsize,
    /// What a helper panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

type Work = &'static (dyn Fn() + Sync);

const DISMISSED: u64 = u64::MAX;

impl Crew {
    /// A crew of `threads`, the calling one among them.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            latest: AtomicU64::new(0),
            work: Mutex::new(None),
            called: Condvar::new(),
            busy: AtomicUsize::new(0),
            panic: Mutex::new(None),
        });
        let helper = |_| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().spawn(move || shared.help())
        };
        // Dropped, and with it dismissed, if one of them cannot be had.
        let mut crew = Self { shared: Arc::clone(&shared), helpers: Vec::new(), turn: Mutex::new(()) };
        for number in 1..threads {
            crew.helpers.push(helper(number)?);
        }
        Ok(crew)
    }

    /// How many they are.
    pub fn size(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Does `work` once on every thread at the same time, and waits for all. A panic of any is the caller's.
    pub fn run(&self, work: &(dyn Fn() + Sync)) {
        let turn = lock(&self.turn);
        let Shared { latest, busy, called, panic, .. } = &*self.shared;
        // SAFETY: the reference is used only by helpers that count as busy, and this function returns, be it by a panic, only when
        // none does. So it is not used longer than it lives.
        let lasting = unsafe { std::mem::transmute::<&(dyn Fn() + Sync), Work>(work) };
        {
            let mut slot = lock(&self.shared.work);
            *slot = Some(lasting);
            busy.store(self.helpers.len(), Ordering::Relaxed);
            latest.fetch_add(1, Ordering::Release);
            called.notify_all();
        }
        let own = catch_unwind(AssertUnwindSafe(work));
        let mut rounds = 0u32;
        while busy.load(Ordering::Acquire) > 0 {
            relax(&mut rounds);
        }
        *lock(&self.shared.work) = None;
        drop(turn);
        let helpers = lock(panic).take(); // also when the caller's own comes first: nothing may be left for the next work
        if let Some(panic) = own.err().or(helpers) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        {
            let _slot = lock(&self.shared.work);
            self.shared.latest.store(DISMISSED, Ordering::Release);
            self.shared.called.notify_all();
        }
        for helper in self.helpers.drain(..) {
            let _ = helper.join(); // its panics were given to the caller
        }
    }
}

impl Shared {
    /// A helper's life.
    fn help(&self) {
        let mut done = 0;
        loop {
            let number = self.next_after(done);
            if number == DISMISSED {
                return;
            }
            done = number;
            let work = *lock(&self.work);
            if let Some(work) = work
                && let Err(panic) = catch_unwind(AssertUnwindSafe(work))
            {
                *lock(&self.panic) = Some(panic);
            }
            self.busy.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for work after number `done`, awake at first.
    fn next_after(&self, done: u64) -> u64 {
        let latest = || self.latest.load(Ordering::Acquire);
        let (start, mut rounds) = (Instant::now(), 0);
        while start.elapsed() < AWAKE {
            if latest() != done {
                return latest();
            }
            relax(&mut rounds);
        }
        let mut slot = lock(&self.work);
        while latest() == done {
            slot = self.called.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
        latest()
    }
}

/// Lets others run for a moment: the processor's other half at first, then other programs.
fn relax(rounds: &mut u32) {
    *rounds += 1;
    if rounds.is_multiple_of(64) { std::thread::yield_now() } else { std::hint::spin_loop() }
}

/// Locks; what a panic leaves behind is whole here.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_works_once_each_time() {
        for threads in [1, 2, 4] {
            let crew = Crew::new(threads).expect("threads");
            assert_eq!(crew.size(), threads);
            for pause in [0, 0, 5, 0] {
                std::thread::sleep(Duration::from_millis(pause)); // long enough to fall asleep
                let count = AtomicUsize::new(0);
                crew.run(&|| {
                    count.fetch_add(1, Ordering::Relaxed);
                });
                assert_eq!(count.into_inner(), threads);
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_crew_goes_on() {
        let crew = Crew::new(3).expect("threads");
        let who = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            crew.run(&|| assert!(who.fetch_add(1, Ordering::Relaxed) != 1, "the second"));
        }));
        assert!(panicked.is_err());
        let everyone = catch_unwind(AssertUnwindSafe(|| crew.run(&|| panic!("everyone"))));
        assert!(everyone.is_err());
        let count = AtomicUsize::new(0);
        crew.run(&|| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(count.into_inner(), 3);
    }
}
