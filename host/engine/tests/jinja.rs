//! The template language means what Jinja means: its texts are those of minijinja, wherever both can be asked.
//!
//! Left out on purpose: how values are written (`true` and `25`, as in JSON, not `True` and `25.0`), and what the language does not
//! have (macros, imports, recursive loops).

use handoff_engine::template::Templates;
use serde_json::{Value, json};

fn scope() -> Value {
    json!({
        "context": {
            "name": "ana maria", "empty": "", "n": 7, "zero": 0, "price": 12.5, "yes": true, "no": false,
            "none": null, "list": [3, 1, 2], "words": ["b", "A", "c", "b"], "text": "  Hello,  World  ",
            "people": [
                {"name": "Kim", "age": 31, "team": "a"}, {"name": "Bo", "age": 25, "team": "b"},
                {"name": "Al", "age": 40, "team": "a"},
            ],
            "map": {"a": 1, "b": {"c": [10, 20]}}, "long": "one two three four five", "html": "<b>&\"'</b>",
            "accents": "Köln İstanbul straße 🙏",
        },
        "attributes": {}, "message": {"id": "1", "text": "hi there"}, "session": {"id": "s", "channel": null},
        "handoff": null, "error": null,
    })
}

const TEXTS: &[&str] = &[
    // look-ups and literals
    "Hello {{ context.name }}!",
    "{{ context['name'] }}",
    "{{ context.list[0] }} {{ context.list[-1] }} {{ context.map.b.c[1] }}",
    "{{ message.text }}",
    "{{ 'single' }} {{ \"double\" }} {{ 'it\\'s' }} {{ 42 }} {{ 1.5 }}",
    "{{ '{{' }} and {{ '}}' }}",
    "{# nothing #}a{# more #}b",
    "{% raw %}{{ not.this }}{% endraw %}",
    "a\n{%- if true %} b {%- endif %}\nc",
    "{{- 'x' -}}  y",
    // arithmetic
    "{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 7 // 2 }} {{ 7 % 3 }} {{ 2 ** 5 }} {{ -7 // 2 }} {{ -7 % 3 }}",
    "{{ context.n + 1 }} {{ context.n - 10 }} {{ context.n * context.n }}",
    "{{ context.price }} {{ 7 / 2 }}",
    "{{ -context.n }} {{ 3 - -2 }}",
    "{{ 'a' ~ 1 ~ 'b' ~ 2.5 }}",
    "{{ 'a' + 'b' }} {{ 'ab' * 3 }}",
    // comparisons and logic
    "{{ 'y' if 1 < 2 else 'n' }} {{ 'y' if 2 <= 2 else 'n' }} {{ 'y' if 'a' == 'a' else 'n' }}",
    "{{ 'y' if 1 == 1.0 else 'n' }} {{ 'y' if 'a' < 'b' else 'n' }} {{ 'y' if 1 != 2 else 'n' }}",
    "{{ 'y' if context.yes and not context.no else 'n' }}",
    "{{ 'y' if context.empty or context.zero else 'n' }}",
    "{{ context.empty or 'default' }} {{ context.name and 'set' }}",
    "{{ 'y' if 3 in context.list else 'n' }} {{ 'y' if 'ell' in context.text else 'n' }}",
    "{{ 'y' if 'a' in context.map else 'n' }} {{ 'y' if 9 not in context.list else 'n' }}",
    "{{ 'y' if not context.none else 'n' }} {{ 'y' if context.none is none else 'n' }}",
    "{{ 'y' if context.missing is defined else 'n' }} {{ 'y' if context.name is defined else 'n' }}",
    "{{ 'y' if context.missing is undefined else 'n' }}",
    "{{ 'y' if context.name is string else 'n' }} {{ 'y' if context.n is number else 'n' }}",
    "{{ 'y' if context.list is sequence else 'n' }} {{ 'y' if context.map is mapping else 'n' }}",
    "{{ 'y' if context.n is odd else 'n' }} {{ 'y' if context.n is even else 'n' }}",
    "{{ 'y' if context.n is divisibleby(7) else 'n' }}",
    "{{ 'y' if context.name is startingwith('ana') else 'n' }} {{ 'y' if context.name is endingwith('x') else 'n' }}",
    // statements
    "{% if context.n > 5 %}big{% elif context.n > 2 %}middle{% else %}small{% endif %}",
    "{% if context.list %}some{% else %}none{% endif %}",
    "{% for item in context.list %}{{ item }},{% endfor %}",
    "{% for item in context.list %}{{ loop.index }}/{{ loop.length }}:{{ item }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for item in context.list %}{{ loop.index0 }}{{ loop.revindex }}{{ 'f' if loop.first }}{% endfor %}",
    "{% for item in [] %}x{% else %}empty{% endfor %}",
    "{% for person in context.people if person.age > 30 %}{{ person.name }} {% endfor %}",
    "{% for key, value in context.map|items %}{{ key }};{% endfor %}",
    "{% for key in context.map %}{{ key }};{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }} {% endfor %}",
    "{% for i in range(3) %}{{ i }}{% endfor %} {% for i in range(2, 8, 2) %}{{ i }}{% endfor %}",
    "{% set x = 5 %}{{ x + 1 }}",
    "{% set a, b = [1, 2] %}{{ a }}{{ b }}",
    "{% set text %}in {{ context.n }}{% endset %}{{ text }}",
    "{% set ns = namespace(total=0) %}{% for i in context.list %}{% set ns.total = ns.total + i %}{% endfor %}{{ ns.total }}",
    "{% with y = 2 %}{{ y }}{% endwith %}",
    "{% filter upper %}shout {{ context.n }}{% endfilter %}",
    // filters on text
    "{{ context.name|upper }} {{ context.name|title }} {{ context.name|capitalize }} {{ 'ABC'|lower }}",
    "[{{ context.text|trim }}] {{ context.long|replace('two', '2') }}",
    "{{ context.name|length }} {{ context.list|length }} {{ context.map|length }} {{ context.accents|length }}",
    "{{ context.empty|default('x') }} {{ context.missing|default('x') }} {{ context.empty|default('x', true) }}",
    "{{ 'abc'|first }}{{ 'abc'|last }} {{ 'abc'|reverse }} {{ context.accents|upper }}",
    "{{ 'a,b,c'|split(',')|join('-') }} {{ '%s is %d'|format('x', 3) }}",
    "{{ 'abc'[1] }} {{ 'abcdef'[1:3] }} {{ 'abcdef'[-2:] }} {{ 'abcdef'[:2] }}",
    "{{ 'x'|indent(2) }} {{ 'a\nb'|indent(2) }}",
    // filters on lists and numbers
    "{{ context.list|sort|join(',') }} {{ context.list|sort(reverse=true)|join(',') }}",
    "{{ context.words|sort|join(',') }} {{ context.words|unique|join(',') }}",
    "{{ context.list|min }} {{ context.list|max }} {{ context.list|sum }} {{ context.list|first }} {{ context.list|last }}",
    "{{ context.people|map(attribute='name')|join(', ') }}",
    "{{ context.people|selectattr('team', 'equalto', 'a')|map(attribute='name')|join(',') }}",
    "{{ context.people|rejectattr('team', 'equalto', 'a')|map(attribute='name')|join(',') }}",
    "{{ context.people|sort(attribute='age')|map(attribute='name')|join(',') }}",
    "{{ context.list|select('odd')|join(',') }} {{ context.list|reject('odd')|join(',') }}",
    "{{ context.words|map('upper')|join }}",
    "{{ context.list[1:]|join(',') }} {{ (context.list + [9])|join(',') }}",
    "{% for batch in range(5)|batch(2) %}{{ batch|join('-') }};{% endfor %}",
    "{{ 3.14159|round(2) }} {{ 2.5|round|int }} {{ 3.5|round|int }} {{ -3|abs }} {{ '7'|int + 1 }} {{ '1.5'|float + 1 }}",
    "{{ context.map|dictsort|length }} {{ '<&>'|escape }} {{ context.html|safe }}",
    "{{ 'a b'|urlencode }} {{ context.list|tojson }} {{ context.name|string }}",
    "{{ dict(a=1).a }} {{ {'k': 2}['k'] }} {{ [1, 2, 3][1] }}",
    // precedence
    "{{ not true or true }} {{ 1 + 2 ~ 'x' }} {{ 2 * 3 ** 2 }} {{ -2 ** 2 }}",
    "{{ 1 if false else 2 if false else 3 }} {{ 'a' ~ 'b'|upper }} {{ (1, 2)|length }}",
];

fn ours(template: &str) -> Result<String, String> {
    let config = json!({"text": template});
    let schema = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    let mut templates = Templates::default();
    if let Some(error) = templates.check(&config, &schema).into_iter().next() {
        return Err(format!("{error:?}"));
    }
    let prepared = templates.prepare(config, &schema);
    let text = templates
        .resolve(&prepared, scope, |_| None)
        .map_err(|error| format!("{error:?}"))?;
    let config: Value = serde_json::from_str(&text).expect("is JSON");
    Ok(config["text"].as_str().expect("is text").to_owned())
}

fn theirs(template: &str) -> Result<String, String> {
    let mut environment = minijinja::Environment::new();
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    environment
        .render_str(template, minijinja::value::Serde(scope()))
        .map_err(|error| error.to_string())
}

/// How the two write what JSON has other words for.
fn alike(text: &str) -> String {
    text.replace("True", "true").replace("False", "false")
}

#[test]
fn a_template_comes_to_what_jinja_makes_of_it() {
    let mut differ = Vec::new();
    for template in TEXTS {
        match (ours(template), theirs(template)) {
            (Ok(our), Ok(their)) if alike(&our) == alike(&their) => {}
            // What minijinja does not have, or refuses, is not for it to say.
            (_, Err(_)) => {}
            (our, their) => {
                differ.push(format!("{template}\n  ours   {our:?}\n  theirs {their:?}"));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
