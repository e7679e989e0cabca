//! Components of any shape: the frame of a built one, with another program inside and more core
//! instances, memories and tables behind.
//!
//! The contract's types are hard to write by hand, and a built component has them. Its main module is
//! replaced by one in text format that exports the same functions; what follows is appended.

use std::fmt::Write as _;
use std::ops::Range;
use wasmparser::{Parser, Payload};

/// Where the program's texts lie in memory.
const TEXTS: usize = 1_024;

/// A component in the making.
pub(crate) struct Shaped {
    frame: Vec<u8>,
    imports: String,
    descriptor: String,
    step: String,
    describe: String,
    more: Vec<(String, usize)>,
}

impl Shaped {
    /// A node in the frame of this built component, which says what it can import. It leaves by `next`.
    pub(crate) fn new(frame: &str) -> Self {
        let descriptor = serde_json::json!({
            "type": "shaped", "version": "1", "label": "Shaped", "summary": "Of any shape.",
            "config": {"type": "object"},
            "ports": [{"name": "next"}, {"name": "error", "kind": "failure"}],
        });
        Self {
            frame: super::component(frame),
            imports: String::new(),
            descriptor: descriptor.to_string(),
            step: leave(TEXTS, 4),
            describe: String::new(),
            more: Vec::new(),
        }
    }

    /// Another descriptor.
    pub(crate) fn descriptor(mut self, text: &str) -> Self {
        self.descriptor = text.to_owned();
        self
    }

    /// What happens before it is described.
    pub(crate) fn before_describe(mut self, body: &str) -> Self {
        self.describe = body.to_owned();
        self
    }

    /// Functions it imports.
    pub(crate) fn imports(mut self, imports: &str) -> Self {
        self.imports = imports.to_owned();
        self
    }

    /// What a step does; it leaves the address of its result.
    pub(crate) fn step(mut self, body: &str) -> Self {
        self.step = body.to_owned();
        self
    }

    /// More core instances, each of this module.
    pub(crate) fn and(mut self, module: &str, times: usize) -> Self {
        self.more.push((module.to_owned(), times));
        self
    }

    /// The component's bytes.
    pub(crate) fn build(self) -> Vec<u8> {
        let (main, modules) = main_module(&self.frame);
        let program = wat::parse_str(self.program()).expect("is text format");
        let mut bytes = self.frame[..main.start].to_vec();
        push_section(&mut bytes, 1, &program);
        bytes.extend(&self.frame[main.end..]);
        for (index, (module, times)) in self.more.iter().enumerate() {
            let module = wat::parse_str(module).expect("is text format");
            push_section(&mut bytes, 1, &module);
            let mut instances = Vec::new();
            push_number(&mut instances, *times);
            for _ in 0..*times {
                instances.push(0);
                push_number(&mut instances, modules + index);
                push_number(&mut instances, 0);
            }
            push_section(&mut bytes, 2, &instances);
        }
        bytes
    }

    fn program(&self) -> String {
        let mut escaped = String::new();
        for byte in self.descriptor.bytes() {
            write!(escaped, "\\{byte:02x}").expect("a String takes all");
        }
        let Self {
            imports,
            step,
            describe,
            ..
        } = self;
        let (length, start) = (self.descriptor.len(), TEXTS + 4);
        let node = "handoff:node/node@0.1.0";
        let pages = length / 65_536 + 3;
        // What a host hands over always lies at the same place: a program that asks often needs no more
        // memory than one that asks once.
        format!(
            r#"(module
              {imports}
              (memory (export "memory") {pages})
              (data (i32.const {TEXTS}) "next{escaped}")
              (func $room (param i32)
                (if (i32.gt_u (local.get 0) (i32.mul (memory.size) (i32.const 65536)))
                  (then (drop (memory.grow (i32.add (i32.const 1)
                    (i32.div_u (i32.sub (local.get 0) (i32.mul (memory.size) (i32.const 65536)))
                      (i32.const 65536))))))))
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (call $room (i32.add (i32.const {room}) (local.get 3)))
                (i32.const {room}))
              (func (export "cabi_post_{node}#describe") (param i32))
              (func (export "cabi_post_{node}#step") (param i32))
              (func (export "cabi_post_{node}#validate") (param i32))
              (func (export "{node}#describe") (result i32)
                {describe}
                (i32.store (i32.const 16) (i32.const {start}))
                (i32.store (i32.const 20) (i32.const {length}))
                (i32.const 16))
              (func (export "{node}#validate") (param i32 i32) (result i32)
                (i32.store (i32.const 16) (i32.const 0))
                (i32.store (i32.const 20) (i32.const 0))
                (i32.const 16))
              (func (export "{node}#step") (param i32) (result i32)
                {step}))"#,
            room = (pages - 1) * 65_536,
        )
    }
}

/// A step that leaves by a port whose name lies there.
pub(crate) fn leave(at: usize, length: usize) -> String {
    format!(
        "(i32.store (i32.const 32) (i32.const 0))
         (i32.store (i32.const 40) (i32.const 0))
         (i32.store (i32.const 48) (i32.const {at}))
         (i32.store (i32.const 52) (i32.const {length}))
         (i32.const 32)"
    )
}

/// A step that fails with a code and a message, each a letter so many times. There has to be room.
pub(crate) fn fault(code: usize, message: usize, letter: u8) -> String {
    let room = 65_536 * 2;
    format!(
        "(call $room (i32.const {end}))
         (memory.fill (i32.const {room}) (i32.const {letter}) (i32.const {longest}))
         (i32.store (i32.const 32) (i32.const 1))
         (i32.store (i32.const 40) (i32.const 2))
         (i32.store (i32.const 44) (i32.const {room}))
         (i32.store (i32.const 48) (i32.const {code}))
         (i32.store (i32.const 52) (i32.const {room}))
         (i32.store (i32.const 56) (i32.const {message}))
         (i32.store (i32.const 60) (i32.const 0))
         (i32.const 32)",
        end = room + code.max(message),
        longest = code.max(message),
    )
}

/// A step that leaves by a port that is a letter so many times.
pub(crate) fn leave_by(letter: u8, length: usize) -> String {
    let room = 65_536 * 2;
    format!(
        "(call $room (i32.const {end}))
         (memory.fill (i32.const {room}) (i32.const {letter}) (i32.const {length}))
         {leave}",
        end = room + length,
        leave = leave(room, length),
    )
}

/// The section of a component's main module, and how many modules there are. The main module is the one
/// that describes itself.
fn main_module(component: &[u8]) -> (Range<usize>, usize) {
    let (mut main, mut modules, mut depth) = (None, 0, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a built component is sound") {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ModuleSection {
                unchecked_range: range,
                ..
            } if depth == 1 => {
                modules += 1;
                if main.is_none() {
                    // Before the module stand the section's number and its length.
                    let mut length = Vec::new();
                    push_number(&mut length, range.len());
                    main = Some(range.start - length.len() - 1..range.end);
                }
            }
            _ => {}
        }
    }
    (main.expect("a component has a module"), modules)
}

fn push_section(bytes: &mut Vec<u8>, section: u8, content: &[u8]) {
    bytes.push(section);
    push_number(bytes, content.len());
    bytes.extend(content);
}

/// LEB128.
fn push_number(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}
