//! What transports report, as inputs to the sessions concerned.

use crate::host::{Host, is_last};
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
                mut settled,
                busy,
            } = report;
            settled.extend(self.0.links.reported(&handoff, is_last(signal.as_ref())));
            let session = handoff.session();
            let input = Input {
                id: input,
                kind: InputKind::Signal {
                    handoff,
                    signal,
                    handle,
                },
            };
            // The outcome is in the log; a report has nobody to be told.
            drop(self.enqueue(&session, input, settled, busy));
        }
    }
}
