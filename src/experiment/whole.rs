//! The test of a run on the whole data set as one task.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{INTERRUPTED, plan::Run, test::values, workplace::Workplace};
use crate::{
    algorithms::MetaLearner,
    evaluate::score,
    models::Params,
    records::{EvaluationRow, TaskKind},
};

impl Workplace<'_> {
    /// Tests with all training images as the support set and all test images as queries.
    pub(super) fn test_whole_dataset(
        &self,
        run: &Run,
        learner: &dyn MetaLearner,
        theta: &Params,
    ) -> Vec<EvaluationRow> {
        let Some(whole) = self.material.tasks.whole() else { return Vec::new() }; // the checks see to it
        let steps = run.steps;
        // One large task: here libtorch's own threads are the ones that pay.
        tch::set_num_threads(self.machine.split.threads() as i32);
        let interface = self.test_interface();
        let scores = or_leave(self.stop, || {
            let episode = (whole.episode)();
            let mut tested = score(learner, &interface, theta, &episode, 1, steps, run.draws());
            tested.pool(&interface);
            tested.scores
        });
        tch::set_num_threads(1);
        let scores = scores.into_iter().flatten().zip(steps);
        scores
            .map(|(score, &step)| EvaluationRow {
                method: run.name.to_owned(),
                fold: run.fold,
                seed: run.seed,
                task: TaskKind::WholeDataset,
                shots: whole.shots,
                episode: 0,
                step,
                loss: score.loss,
                values: values(&interface, &score),
            })
            .collect()
    }
}

/// Does work that takes minutes and leaves nothing before its end, so that to stop it is to leave the program.
fn or_leave<R>(stop: &AtomicBool, work: impl FnOnce() -> R) -> R {
    /// Set at the end of the work, also where libtorch panics.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Done(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED.into());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        work()
    })
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::mpsc::channel,
    };

    use super::*;

    #[test]
    fn work_that_panics_ends() {
        let (ended, waits) = channel();
        std::thread::spawn(move || {
            let stop = AtomicBool::new(false);
            let work = || or_leave(&stop, || -> usize { panic!("as libtorch does") });
            let _ = ended.send(catch_unwind(AssertUnwindSafe(work)).is_err()); // the test may have given up
        });
        assert_eq!(waits.recv_timeout(Duration::from_secs(20)), Ok(true), "it hangs");
    }
}
