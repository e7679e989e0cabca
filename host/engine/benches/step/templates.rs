//! What the templates of a step cost. A plain look-up is what most steps have.

use divan::Bencher;
use handoff_engine::template::Templates;
use serde_json::json;

/// Texts from the cheapest to one that loops.
const TEXTS: [&str; 4] = [
    "no template",
    "Hi {{ context.user.name }}",
    "{{ context.user.name | default('you') | upper }}, {{ context.age + 1 }}",
    "{% for tag in context.tags %}{{ loop.index }}: {{ tag }}{% endfor %}",
];

#[divan::bench(args = TEXTS)]
fn resolve(bencher: Bencher<'_, '_>, text: &str) {
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    let tags: Vec<String> = (0..20).map(|it| format!("tag {it}")).collect();
    let scope = json!({"context": {"user": {"name": "Ana"}, "age": 31, "tags": tags}});
    let mut templates = Templates::default();
    let prepared = templates.prepare(json!({"text": text}), &schema);
    bencher.bench_local(|| {
        let resolved = templates.resolve(&prepared, || scope.clone(), |_| None);
        resolved.map(|text| text.len()).unwrap_or_default()
    });
}
