//! Whole turns through `advance`: the user answers, the flow branches, says something and asks again.

use crate::block_on;
use crate::support::{Sample, Talk};
use divan::Bencher;
use divan::counter::ItemsCount;
use handoff_engine::content::UserMessage;
use handoff_engine::session::{Input, InputKind};
use serde_json::json;

fn sample() -> Sample {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "How many?", "pattern": "number", "saveTo": "n"}, "to": {"next": "if"}},
        "if": {"type": "branch", "config": {"when": "context.n > 10"}, "to": {"true": "many", "false": "few"}},
        "many": {"type": "say", "config": {"text": "{{ context.n }} is a lot."}, "to": {"next": "ask"}},
        "few": {"type": "say", "config": {"text": "Only {{ context.n }}."}, "to": {"next": "ask"}},
    });
    Sample::main("ask", nodes)
}

/// A turn of four steps, as turns per second. `lines` is how long the transcript already is.
#[divan::bench(args = [1, 500])]
fn conversation(bencher: Bencher<'_, '_>, lines: usize) {
    let runtime = block_on();
    let mut talk: Talk = runtime.block_on(sample().talk());
    runtime.block_on(talk.start());
    while talk.transcript().len() < lines {
        runtime.block_on(talk.user("12"));
    }
    let input = Input {
        id: "in".into(),
        kind: InputKind::UserMessage(UserMessage::text("12".to_owned())),
    };
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let turn = handoff_engine::advance(&talk.project, &talk.session, &input, talk.now);
        runtime.block_on(turn).expect("the input is taken")
    });
}
