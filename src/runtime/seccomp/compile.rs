//! Policy → BPF: a binary search over intervals of system call numbers with equal verdicts.
//!
//! The usual linear chain of comparisons (and its tree variant) is three to ten times longer and
//! slower to load. x86_64 and x32 share one tree, because bit 30 only makes the numbers larger.
//! Calls whose arguments matter are intervals of one number, with the comparisons as their leaf.
//!
//! Also compiled into build.rs: uses the standard library, `numbers` and `SockFilter` only.

use std::collections::BTreeMap;

use super::SockFilter;
use super::numbers::{Abi, Numbers, X32_BIT};

pub const RET_KILL_PROCESS: u32 = 0x8000_0000;
pub const RET_KILL_THREAD: u32 = 0;
pub const RET_TRAP: u32 = 0x0003_0000;
pub const RET_ERRNO: u32 = 0x0005_0000;
pub const RET_NOTIFY: u32 = 0x7fc0_0000;
pub const RET_TRACE: u32 = 0x7ff0_0000;
pub const RET_LOG: u32 = 0x7ffc_0000;
pub const RET_ALLOW: u32 = 0x7fff_0000;
pub const ENOSYS: u32 = 38;

/// Which calls get which verdict (`SECCOMP_RET_*` with its data).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// For calls no rule names.
    pub default: u32,
    /// The ABIs the rules speak of; a call through another kills the process, as in libseccomp.
    pub abis: Vec<Abi>,
    pub rules: Vec<Rule>,
}

/// All conditions hold → the verdict. Of the rules of one call, those with conditions are asked
/// first, in order; then the first without any; then the default holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub names: Vec<String>,
    pub verdict: u32,
    pub conditions: Vec<Condition>,
}

/// `argument operator value`, on all 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    pub argument: u32,
    pub operator: Operator,
    pub value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Equal in these bits.
    MaskedEqual {
        mask: u64,
    },
}

/// What one interval of numbers leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Leaf {
    checks: Vec<(Vec<Condition>, u32)>,
    otherwise: u32,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_NOT_LESS: u16 = 0x35;
const RETURN: u16 = 0x06;

// Offsets in struct seccomp_data.
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ARGUMENTS_AT: u32 = 16;

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// The longest program the kernel takes (BPF_MAXINSNS).
const LONGEST: usize = 4096;

/// The program for `seccomp(2)`.
pub fn compile(policy: &Policy) -> Result<Vec<SockFilter>, String> {
    let numbers = Numbers::read();
    let wide = intervals(policy, &numbers, &[(Abi::X86_64, 0), (Abi::X32, X32_BIT)]);
    let narrow = intervals(policy, &numbers, &[(Abi::I386, 0)]);
    let (wide, narrow) = (tree(&wide), tree(&narrow));
    let mut program = vec![
        step(LOAD, ARCHITECTURE_AT),
        jump(JUMP_EQUAL, AUDIT_ARCH_X86_64, 0, 1),
        step(JUMP, 3),
        jump(JUMP_EQUAL, AUDIT_ARCH_I386, 0, 1),
        step(JUMP, 2 + wide.len() as u32),
        step(RETURN, RET_KILL_PROCESS),
        step(LOAD, NUMBER_AT),
    ];
    program.extend(wide);
    program.push(step(LOAD, NUMBER_AT));
    program.extend(narrow);
    if program.len() > LONGEST {
        let length = program.len();
        return Err(format!("{length} instructions, the kernel takes {LONGEST}"));
    }
    Ok(program)
}

/// The first number of each interval and its leaf, covering all numbers from 0 on.
fn intervals(policy: &Policy, numbers: &Numbers, abis: &[(Abi, u32)]) -> Vec<(u32, Leaf)> {
    let mut list: Vec<(u32, Leaf)> = Vec::new();
    let mut push = |start: u32, leaf: Leaf| match list.last_mut() {
        Some((last, value)) if *last == start => *value = leaf,
        _ => list.push((start, leaf)),
    };
    for (abi, first) in abis {
        if !policy.abis.contains(abi) {
            push(*first, plain(RET_KILL_PROCESS));
            continue;
        }
        push(*first, plain(policy.default));
        let leaves = leaves(policy, numbers, *abi);
        let newest = leaves.keys().next_back().copied();
        for (number, leaf) in leaves {
            push(number, leaf);
            push(number + 1, plain(policy.default));
        }
        if let Some(newest) = newest.filter(|_| refuses(policy.default)) {
            // Calls younger than the profile: libc falls back on ENOSYS, and only on ENOSYS.
            push(newest + 1, plain(RET_ERRNO | ENOSYS));
        }
    }
    list.dedup_by(|later, earlier| later.1 == earlier.1);
    list
}

fn refuses(verdict: u32) -> bool {
    matches!(
        verdict & 0xffff_0000,
        RET_ERRNO | RET_KILL_PROCESS | RET_KILL_THREAD | RET_TRAP
    )
}

fn leaves(policy: &Policy, numbers: &Numbers, abi: Abi) -> BTreeMap<u32, Leaf> {
    let mut plain_verdicts = BTreeMap::new();
    let mut leaves: BTreeMap<u32, Leaf> = BTreeMap::new();
    for rule in &policy.rules {
        // A name this ABI or this table lacks cannot be called by it: nothing to decide.
        let found = rule.names.iter().filter_map(|name| numbers.of(name, abi));
        for number in found {
            let leaf = leaves
                .entry(number)
                .or_insert_with(|| plain(policy.default));
            if rule.conditions.is_empty() {
                leaf.otherwise = *plain_verdicts.entry(number).or_insert(rule.verdict);
            } else {
                leaf.checks.push((rule.conditions.clone(), rule.verdict));
            }
        }
    }
    leaves
}

fn plain(otherwise: u32) -> Leaf {
    Leaf {
        checks: Vec::new(),
        otherwise,
    }
}

/// The accumulator holds the number on entry, and every path ends in a return.
fn tree(intervals: &[(u32, Leaf)]) -> Vec<SockFilter> {
    if let [(_, leaf)] = intervals {
        return leaf_code(leaf);
    }
    let (low, high) = intervals.split_at(intervals.len() / 2);
    let Some((start, _)) = high.first() else {
        return Vec::new();
    };
    let low = tree(low);
    let mut code = match u8::try_from(low.len()) {
        Ok(length) => vec![jump(JUMP_NOT_LESS, *start, length, 0)],
        // Conditional jumps reach 255 instructions.
        Err(_) => vec![
            jump(JUMP_NOT_LESS, *start, 0, 1),
            step(JUMP, low.len() as u32),
        ],
    };
    code.extend(low);
    code.extend(tree(high));
    code
}

fn leaf_code(leaf: &Leaf) -> Vec<SockFilter> {
    let mut code = Vec::new();
    for (conditions, verdict) in &leaf.checks {
        code.extend(rule_code(conditions, *verdict));
    }
    code.push(step(RETURN, leaf.otherwise));
    code
}

/// Where a comparison goes on: to the next instruction, past this condition, past this rule.
#[derive(Clone, Copy)]
enum To {
    Next,
    Holds,
    Fails,
}

type Symbolic = (u16, u32, To, To);

fn rule_code(conditions: &[Condition], verdict: u32) -> Vec<SockFilter> {
    let parts: Vec<Vec<Symbolic>> = conditions.iter().map(comparison).collect();
    let total: usize = parts.iter().map(Vec::len).sum();
    let mut code = Vec::new();
    for part in parts {
        let end = code.len() + part.len();
        for (operation, operand, if_true, if_false) in part {
            let next = code.len() + 1;
            // At most 6 arguments of 6 instructions: an offset always fits.
            let offset = |to| match to {
                To::Next => 0,
                To::Holds => (end - next) as u8,
                To::Fails => (total + 1 - next) as u8,
            };
            code.push(jump(operation, operand, offset(if_true), offset(if_false)));
        }
    }
    code.push(step(RETURN, verdict));
    code
}

/// Two 32-bit halves, high first. For 32-bit callers the high half of the argument is 0.
fn comparison(condition: &Condition) -> Vec<Symbolic> {
    use To::{Fails, Holds, Next};
    let low_at = ARGUMENTS_AT + 8 * condition.argument;
    let load = |at| (LOAD, at, Next, Next);
    let (high, low) = halves(condition.value);
    // (high above, high below, how to compare the low halves)
    let (above, below, last) = match condition.operator {
        Operator::MaskedEqual { mask } => return masked(low_at, mask, condition.value),
        Operator::Equal => (Fails, Fails, (JUMP_EQUAL, Holds, Fails)),
        Operator::NotEqual => (Holds, Holds, (JUMP_EQUAL, Fails, Holds)),
        Operator::Greater => (Holds, Fails, (JUMP_GREATER, Holds, Fails)),
        Operator::GreaterOrEqual => (Holds, Fails, (JUMP_NOT_LESS, Holds, Fails)),
        Operator::Less => (Fails, Holds, (JUMP_NOT_LESS, Fails, Holds)),
        Operator::LessOrEqual => (Fails, Holds, (JUMP_GREATER, Fails, Holds)),
    };
    let (operation, if_true, if_false) = last;
    vec![
        load(low_at + 4),
        (JUMP_GREATER, high, above, Next),
        (JUMP_EQUAL, high, Next, below),
        load(low_at),
        (operation, low, if_true, if_false),
    ]
}

fn masked(low_at: u32, mask: u64, value: u64) -> Vec<Symbolic> {
    use To::{Fails, Holds, Next};
    let (mask_high, mask_low) = halves(mask);
    let (high, low) = halves(value & mask);
    vec![
        (LOAD, low_at + 4, Next, Next),
        (AND, mask_high, Next, Next),
        (JUMP_EQUAL, high, Next, Fails),
        (LOAD, low_at, Next, Next),
        (AND, mask_low, Next, Next),
        (JUMP_EQUAL, low, Holds, Fails),
    ]
}

fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

fn step(code: u16, k: u32) -> SockFilter {
    jump(code, k, 0, 0)
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> SockFilter {
    SockFilter { code, jt, jf, k }
}
