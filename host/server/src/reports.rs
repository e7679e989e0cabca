//! What transports report, as inputs to the sessions concerned. Secrets in handles are sealed here: no
//! journal has them.

use crate::host::{Host, is_last};
use crate::queues::Work;
use handoff_engine::name::InputId;
use handoff_engine::session::{Input, InputKind};
use handoff_genesys::Report;
use tokio::sync::mpsc;

impl Host {
    /// Queues each report as an input. Several of one session keep their order, and no session
    /// waits for another.
    pub(crate) async fn take_reports(self, mut reports: mpsc::UnboundedReceiver<Report>) {
        while let Some(report) = reports.recv().await {
            let Report {
                handoff,
                input,
                signal,
                handle,
                tally,
                exchanges,
                mut settled,
                busy,
            } = report;
            let last = is_last(signal.as_ref());
            settled.extend(self.0.links.reported(&handoff, last));
            let handle = self.0.seal.seal(&handoff, handle);
            let session = handoff.session();
            let input = Box::new(Input {
                id: InputId::new(format!("report:{input}")),
                kind: InputKind::Signal {
                    handoff,
                    signal,
                    handle,
                    tally,
                    exchanges,
                },
            });
            self.keep_trying(&session, Work::Input { input, settled }, busy);
            if last {
                // What was given to the driver and never settled reached nobody.
                self.take_up(&session);
            }
        }
    }
}
