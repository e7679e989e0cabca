//! Threads that compile.
//!
//! Compiling a component takes from tens of milliseconds to minutes and cannot be interrupted, so it
//! never happens on a thread that serves sessions: each piece of work gets a thread of its own, and no
//! more run at one time than the machine has processors. What waits for its turn holds no thread.

use std::sync::Arc;
use std::thread;
use tokio::sync::{Semaphore, oneshot};

/// Bytes of stack of a thread that compiles.
const STACK: usize = 4 << 20;

/// Does heavy work beside the threads of the async runtime.
#[derive(Clone, Debug)]
pub(super) struct Workers(Arc<Semaphore>);

/// Work that was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkError {
    /// There is no thread for it.
    #[error("no thread can be started: {0}")]
    NoThread(#[source] std::io::Error),
    /// It panicked.
    #[error("internal error while it was compiled")]
    Panicked,
}

impl Workers {
    /// As many as there are processors.
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self(Arc::new(Semaphore::new(processors)))
    }

    /// Does a piece of work as soon as a thread is free. Goes on if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let turn = Arc::clone(&self.0).acquire_owned().await.ok();
        let (sender, receiver) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("node-compile".into())
            .stack_size(STACK);
        let started = thread.spawn(move || {
            let done = work();
            drop(turn);
            // Whoever asked may have gone.
            drop(sender.send(done));
        });
        started.map_err(WorkError::NoThread)?;
        receiver.await.map_err(|_| WorkError::Panicked)
    }
}
