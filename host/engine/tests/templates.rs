//! Templates of any shape stay within their stack and their memory.
//!
//! The templates are generated from the whole language rather than from a list of those that are known
//! to be dangerous, and what they take is measured by the allocator of this test.

use handoff_engine::template::Templates;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a step's templates may take at any time, in bytes.
const MEMORY: usize = 32 << 20;
/// The stack of a worker thread of the usual asynchronous runtime.
const STACK: usize = 2 << 20;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"text": {"type": "string"}},
        "additionalProperties": true,
    })
}

fn scope() -> Value {
    let items: Vec<Value> = (0..200)
        .map(|it| json!({"n": it, "name": format!("item {it}")}))
        .collect();
    json!({
        "context": {
            "text": "äöü \u{1} words, and more. ".repeat(400),
            "list": items,
            "words": ["a", "B", "c", "a"],
            "map": {"a": {"b": {"c": [1, 2.5, null, true]}}},
            "n": 7,
            "big": 9_999_999_999_u64,
        },
    })
}

/// Runs a template as a step would, as text and as a value. Returns the most that was taken.
fn peak(template: &str) -> usize {
    let config = json!({"text": template, "value": template});
    let (schema, scope) = (schema(), scope());
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let mut templates = Templates::default();
    drop(templates.check(&config, &schema));
    let prepared = templates.prepare(config, &schema);
    drop(templates.resolve(&prepared, || scope.clone(), |_| None));
    ALLOCATOR.peak_usage().saturating_sub(before)
}

const FILTERS: [&str; 46] = [
    "safe",
    "escape",
    "lower",
    "upper",
    "title",
    "capitalize",
    "replace('a', %)",
    "length",
    "dictsort",
    "items",
    "reverse",
    "trim",
    "join(%)",
    "split(%)",
    "lines",
    "default(%)",
    "round(%)",
    "abs",
    "int",
    "float",
    "attr(%)",
    "first",
    "last",
    "min",
    "max",
    "sort",
    "list",
    "string",
    "bool",
    "batch(%, %)",
    "slice(%, %)",
    "sum(start=%)",
    "indent(%, true, true)",
    "select",
    "map('upper')",
    "map('replace', 'a', %)",
    "map('indent', %)",
    "map('list')",
    "groupby('n')",
    "unique",
    "chain(%, %)",
    "zip(%, %)",
    "pprint",
    "format(%, %, %)",
    "tojson(indent=%)",
    "urlencode",
];

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "context.text",
            "context.list",
            "context.words",
            "context.map",
            "context",
            "context.n",
            "context.big",
            "1",
            "3",
            "100",
            "100000000",
            "9999999999",
            "-1",
            "0",
            "2.5",
            "'x'",
            "''",
            "'%9999999999d'",
            "'%.9999999999f'",
            "'%*s %s %s'",
            "'\\n'",
            "[]",
            "{}",
            "range(1000000000)",
            "range(1000)",
            "range(0, 9999999999, 3)",
            "x",
            "x",
            "x",
            "true",
            "none",
        ])
        .prop_map(str::to_owned),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let filter = (inner.clone(), prop::sample::select(FILTERS.to_vec()), inner.clone());
        prop_oneof![
            4 => filter.prop_map(|(of, filter, with)| format!("({of}) | {}", filter.replace('%', &format!("({with})")))),
            4 => (inner.clone(), prop::sample::select(vec!["~", "+", "*", "**", "-", "/", "//", "%", "==", "<", "in", "and", "or"]), inner.clone())
                .prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}, {a}]")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{'a': {a}, 'b': {b}, 'c': {a}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("dict({{'k': {a}}}, j={b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a})[{b}:{c}]")),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} if {b} is defined else {c})")),
        ]
    })
}

/// Expressions as they are, and expressions that feed on themselves.
fn template() -> impl Strategy<Value = String> {
    let count = prop::sample::select(vec!["28", "300", "100000", "1000000000"]);
    let body = prop::sample::select(vec![
        "{% set ns.x = % %}",
        "{% set ns.x = ns.x ~ % %}",
        "{% set ns.x = [ns.x, %] %}",
        "{% set ns.x = ns.x + % %}",
        "{% set ns.x = {'a': ns.x, 'b': %} %}",
        "{% set ns.x %}{{ ns.x }}{{ % }}{% endset %}",
        "{% for y in ns.x %}{% set ns.x = [y, %] %}{% endfor %}",
        "{% filter upper %}{{ % }}{% endfilter %}",
        "{% with y = % %}{{ y }}{{ y }}{% endwith %}",
        "{% set m = namespace(x=%) %}",
        "{{ % }}",
    ]);
    let last = prop::sample::select(vec![
        "ns.x",
        "ns.x | length",
        "ns.x | tojson",
        "ns.x == ns.x",
        "ns.x | sort",
        "ns.x | pprint",
    ]);
    prop_oneof![
        expression().prop_map(|it| format!("{{% set x = context.text %}}{{{{ {it} }}}}")),
        expression().prop_map(|it| format!("{{{{ {} }}}}", it.replace('x', "context.n"))),
        (expression(), count, body, expression(), last).prop_map(|(first, count, body, grows, last)| {
            let body = body.replace("% %}", &format!("{} %}}", grows.replace('x', "ns.x")));
            format!("{{% set x = 'xxxxxxxxxx' %}}{{% set ns = namespace(x={first}) %}}{{% for i in range({count}) %}}{body}{{% endfor %}}{{{{ {last} }}}}")
        }),
    ]
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn no_template_takes_more_than_its_memory() {
    for known in [
        "{{ '%9999999999d'|format(1) }}",
        "{{ '%.9999999999f'|format(1) }}",
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ ('x' * 100000000)|length }}",
        "{{ range(1000000000)|list|length }}",
        "{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(28) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x|length }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(40) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|pprint }}",
        "{{ context.text | replace('', context.text) | replace('', context.text) }}",
        "{{ context.text | indent(999999999) }}",
        "{{ range(3000) | join(context.text) }}",
        "{{ [[1]] * 3000 | batch(1000000000, 0) }}",
        "{{ [1] | slice(1000000000) }}",
        "{{ 9 ** 9 ** 9 }}",
    ] {
        let peak = peak(known);
        assert!(peak < MEMORY, "{peak} bytes: {known}");
    }
    let config = Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    };
    let mut worst = 0;
    TestRunner::new(config)
        .run(&template(), |template| {
            let peak = peak(&template);
            prop_assert!(peak < MEMORY, "{peak} bytes: {template}");
            Ok(())
        })
        .expect("no template takes more");
    for template in ["{{ context.text }}", "Hello {{ context.n }}"] {
        worst = worst.max(peak(template));
    }
    assert!(worst < 1 << 20, "plain look-ups take {worst} bytes");

    let run = || {
        for template in nested() {
            peak(&template);
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run);
    thread
        .expect("a thread")
        .join()
        .expect("no shape overflows the stack");
}

/// Every way of nesting or chaining: far beyond what is taken, and as deep as is.
fn nested() -> Vec<String> {
    [10_000, 1_500, 48, 47, 46, 40, 24, 23, 16, 15]
        .into_iter()
        .flat_map(nested_so_often)
        .collect()
}

/// Each closed, and left open.
fn nested_so_often(times: usize) -> Vec<String> {
    let mut all = Vec::new();
    for (open, middle, close) in [
        ("not ", "1", ""),
        ("-", "1", ""),
        ("- -", "1", ""),
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{'a':", "1", "}"),
        ("(not ", "1", ")"),
        ("-(", "1", ")"),
        ("1 if ", "1", " else 2"),
        ("1 if 1 else ", "1", ""),
        ("a(", "1", ")"),
        ("range(", "1", ")"),
        ("dict(a=", "1", ")"),
        ("1 + (", "1", ")"),
        ("1 ** ", "1", ""),
        ("x[", "1", "]"),
        ("x[1:", "1", "]"),
        ("'a' ~ ", "'b'", ""),
        ("1 is divisibleby ", "1", ""),
        ("1 | default(", "1", ")"),
        ("1 in [", "1", "]"),
        ("x.", "a", ""),
        ("1 < ", "1", ""),
        ("1 and ", "1", ""),
        ("not (1 or ", "1", ")"),
        ("x is not ", "defined", ""),
        ("", "context", ".a"),
        ("", "context", "[0]"),
        ("", "context", "[0:1]"),
        ("", "context", "|list"),
        ("", "context", "|default(1)"),
        ("", "context", " is defined"),
        ("", "1", " if 1"),
        ("", "1", " not in [1]"),
        ("", "'a'", " 'b'"),
    ] {
        for (open, close) in [
            (open.repeat(times), close.repeat(times)),
            (open.repeat(times), String::new()),
        ] {
            all.push(format!("{{{{ {open}{middle}{close} }}}}"));
        }
    }
    for (open, close) in [
        ("{% if 1 %}", "{% endif %}"),
        ("{% for x in [1] %}", "{% endfor %}"),
        ("{% with a = 1 %}", "{% endwith %}"),
        ("{% filter upper %}", "{% endfilter %}"),
        ("{% set x %}", "{% endset %}"),
        ("{% autoescape true %}", "{% endautoescape %}"),
        ("{% if 1 %}{% else %}", "{% endif %}"),
        ("{% raw %}", "{% endraw %}"),
        ("{#", "#}"),
        ("{{", "}}"),
        ("{%", "%}"),
    ] {
        all.push(format!("{}x{}", open.repeat(times), close.repeat(times)));
        all.push(open.repeat(times));
    }
    all.push(format!(
        "{{% if 1 %}}{}{{% endif %}}",
        "{% elif 1 %}".repeat(times)
    ));
    all
}
