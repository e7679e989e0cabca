//! How inputs that are scripts are changed: by whole lines as well as by bytes.
//!
//! A script has one thing that happens per line, so moving, doubling and dropping lines is what a bad
//! network does, and joining halves of bytes rarely is. Half of the changes are of this kind; the
//! other half are libFuzzer's own.

use libfuzzer_sys::fuzzer_mutate;

/// Changes the script in the first `size` bytes of `data`, which has room for `max_size`, and returns
/// its new size.
pub fn mutate_lines(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(seed);
    if dice.roll(2) == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut lines: Vec<Vec<u8>> = data[..size]
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for _ in 0..=dice.roll(3) {
        change(&mut lines, &mut dice);
    }
    let changed = lines.join(&b'\n');
    let size = changed.len().min(max_size);
    data[..size].copy_from_slice(&changed[..size]);
    size
}

/// What happens without the other side: worth having in any script.
const EVENTS: [&str; 12] = [
    "say Hello",
    "again 0",
    "file cat.png",
    "typing",
    "set language en",
    "leave",
    "wait 600",
    "wait 31000",
    "restart",
    "lost",
    "unsent",
    "http 503",
];

fn change(lines: &mut Vec<Vec<u8>>, dice: &mut Dice) {
    let at = dice.roll(lines.len());
    let other = dice.roll(lines.len());
    match dice.roll(5) {
        0 => lines.swap(at, other),
        1 => {
            let line = lines[at].clone();
            lines.insert(other, line);
        }
        2 if lines.len() > 1 => drop(lines.remove(at)),
        3 => {
            let line = lines.remove(at);
            lines.insert(other.min(lines.len()), line);
        }
        _ => {
            let event = EVENTS[dice.roll(EVENTS.len())];
            lines.insert(at, event.as_bytes().to_vec());
        }
    }
}

/// A few numbers out of a seed: the same for the same seed, so that runs can be repeated.
struct Dice(u32);

impl Dice {
    /// Below `sides`, of which there must be one.
    fn roll(&mut self, sides: usize) -> usize {
        // Marsaglia's xorshift; it must not start at zero.
        self.0 = self.0.max(1);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % sides
    }
}
