//! How long a step computes, and how long it waits.
//!
//! A step computes whenever it is polled: its own code and the host functions it calls run in there and
//! nowhere else. So its time on the processor is that of the thread between the beginning and the end of
//! each poll, whatever else the machine does meanwhile. It is compared with the limit at every tick of
//! the epoch, where the step also lets others run; between two ticks lies at most one call of the host,
//! and what that can move is limited in bytes.
//!
//! Waiting is what lies between two polls, unless the step only let others run.

use super::state::StepState;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use wasmtime::{Store, UpdateDeadline};

/// The time on the processor of one step. Shared with the callback of the epoch.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// Of the polls that are over, in nanoseconds.
    used: AtomicU64,
    /// When this poll began, on the clock of its thread.
    began: AtomicU64,
    /// Whether this poll ended to let others run.
    let_others: AtomicBool,
}

/// A step waited for longer than it may.
pub(super) struct WaitedTooLong;

impl Budget {
    /// Stops a step that computes for longer than it may.
    pub(super) fn watch(self: &Arc<Self>, store: &mut Store<StepState>, limit: Duration) {
        let budget = Arc::clone(self);
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| {
            if budget.so_far() > limit {
                return Ok(UpdateDeadline::Interrupt);
            }
            budget.let_others.store(true, Ordering::Relaxed);
            let others = Box::pin(tokio::task::yield_now());
            Ok(UpdateDeadline::YieldCustom(1, others))
        });
    }

    /// Runs a step to its end, or until it has waited for `wall`.
    pub(super) async fn run<T>(
        &self,
        wall: Duration,
        step: impl Future<Output = T>,
    ) -> Result<T, WaitedTooLong> {
        let mut step = pin!(step);
        let mut waited = Duration::ZERO;
        let mut waiting: Option<Instant> = None;
        let mut timer = None;
        std::future::poll_fn(move |context| {
            if let Some(since) = waiting.take() {
                waited += since.elapsed();
            }
            self.begin();
            let polled = step.as_mut().poll(context);
            if self.end() && polled.is_pending() {
                return Poll::Pending;
            }
            if let Poll::Ready(value) = polled {
                return Poll::Ready(Ok(value));
            }
            if waited >= wall {
                return Poll::Ready(Err(WaitedTooLong));
            }
            let now = Instant::now();
            waiting = Some(now);
            let until = now + wall.saturating_sub(waited);
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
            timer.as_mut().reset(until);
            timer.as_mut().poll(context).map(|()| Err(WaitedTooLong))
        })
        .await
    }

    fn begin(&self) {
        self.let_others.store(false, Ordering::Relaxed);
        self.began.store(thread_time(), Ordering::Relaxed);
    }

    /// Ends a poll, and says whether it ended to let others run.
    fn end(&self) -> bool {
        self.used.store(self.so_far(), Ordering::Relaxed);
        self.let_others.load(Ordering::Relaxed)
    }

    fn so_far(&self) -> u64 {
        let this_poll = thread_time().saturating_sub(self.began.load(Ordering::Relaxed));
        self.used.load(Ordering::Relaxed).saturating_add(this_poll)
    }
}

/// Time this thread has spent on a processor, in nanoseconds.
#[cfg(unix)]
fn thread_time() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

/// Where threads have no clock of their own, time that passes is taken for time on the processor.
#[cfg(not(unix))]
fn thread_time() -> u64 {
    use std::sync::LazyLock;
    static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
