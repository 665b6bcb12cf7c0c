//! Docker's JSON profile format, of which the OCI spec's `linux.seccomp` is a subset, → policy.
//!
//! Also compiled into build.rs: uses the standard library, serde, `compile` and `numbers` only.

use serde::{Deserialize, Serialize};

use super::compile::{
    Condition, Operator, Policy, RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS, RET_KILL_THREAD, RET_LOG,
    RET_NOTIFY, RET_TRACE, RET_TRAP, Rule,
};
use super::numbers::Abi;

/// A profile as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub default_action: String,
    #[serde(default)]
    pub default_errno_ret: Option<u32>,
    /// The OCI form: the ABIs themselves.
    #[serde(default)]
    pub architectures: Option<Vec<String>>,
    /// Docker's form: a machine and the ABIs it also runs.
    #[serde(default)]
    pub arch_map: Option<Vec<ArchMap>>,
    #[serde(default)]
    pub syscalls: Option<Vec<Syscalls>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchMap {
    pub architecture: String,
    #[serde(default)]
    pub sub_architectures: Option<Vec<String>>,
}

/// One rule as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Syscalls {
    /// Docker's profiles before 2017 had one name per rule.
    #[serde(default, skip_serializing)]
    pub name: Option<String>,
    #[serde(default)]
    pub names: Vec<String>,
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Argument>>,
    #[serde(default, skip_serializing)]
    pub includes: Option<Filter>,
    #[serde(default, skip_serializing)]
    pub excludes: Option<Filter>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Argument {
    pub index: u32,
    pub value: u64,
    #[serde(default)]
    pub value_two: u64,
    pub op: String,
}

/// When a rule is part of the profile at all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    #[serde(default)]
    pub caps: Option<Vec<String>>,
    #[serde(default)]
    pub arches: Option<Vec<String>>,
    #[serde(default)]
    pub min_kernel: Option<String>,
}

/// What `includes` and `excludes` are judged by.
pub struct Machine<'a> {
    /// Whether the container has this capability (`CAP_…`).
    pub has: &'a dyn Fn(&str) -> bool,
    /// Major and minor version.
    pub kernel: (u32, u32),
}

impl Profile {
    /// Drops the rules that do not apply to this container.
    pub fn select(&mut self, machine: &Machine<'_>) {
        let Some(rules) = &mut self.syscalls else {
            return;
        };
        rules.retain(|rule| {
            let included = rule.includes.as_ref().is_none_or(|f| f.all_hold(machine));
            let excluded = rule.excludes.as_ref().is_some_and(|f| f.any_holds(machine));
            included && !excluded
        });
    }

    /// The policy of a profile whose remaining rules all apply.
    pub fn policy(&self) -> Result<Policy, String> {
        let rules = self.syscalls.iter().flatten();
        Ok(Policy {
            default: verdict(&self.default_action, self.default_errno_ret)?,
            abis: self.abis()?,
            rules: rules.map(Syscalls::rule).collect::<Result<_, _>>()?,
        })
    }

    /// The names of the ABIs, in the OCI form.
    pub fn architecture_names(&self) -> Vec<String> {
        if let Some(names) = &self.architectures {
            return names.clone();
        }
        let maps = self.arch_map.iter().flatten();
        let native = maps.filter(|map| map.architecture == "SCMP_ARCH_X86_64");
        native
            .flat_map(|map| {
                let own = std::iter::once(&map.architecture);
                own.chain(map.sub_architectures.iter().flatten())
            })
            .cloned()
            .collect()
    }

    fn abis(&self) -> Result<Vec<Abi>, String> {
        let mut abis = Vec::new();
        for name in self.architecture_names() {
            match name.as_str() {
                "SCMP_ARCH_X86_64" | "SCMP_ARCH_NATIVE" => abis.push(Abi::X86_64),
                "SCMP_ARCH_X86" => abis.push(Abi::I386),
                "SCMP_ARCH_X32" => abis.push(Abi::X32),
                name if name.starts_with("SCMP_ARCH_") => {}
                name => return Err(format!("unknown architecture {name}")),
            }
        }
        if abis.is_empty() {
            abis.push(Abi::X86_64);
        }
        Ok(abis)
    }
}

impl Filter {
    fn all_hold(&self, machine: &Machine<'_>) -> bool {
        self.caps.iter().flatten().all(|cap| (machine.has)(cap))
            && self.arches.as_ref().is_none_or(|arches| is_native(arches))
            && self
                .min_kernel
                .as_ref()
                .is_none_or(|min| is_at_least(machine, min))
    }

    fn any_holds(&self, machine: &Machine<'_>) -> bool {
        self.caps.iter().flatten().any(|cap| (machine.has)(cap))
            || self.arches.as_ref().is_some_and(|arches| is_native(arches))
            || self
                .min_kernel
                .as_ref()
                .is_some_and(|min| is_at_least(machine, min))
    }
}

/// Docker compares with the host's architecture, in Go's spelling; an empty list says nothing.
fn is_native(arches: &[String]) -> bool {
    arches.is_empty() || arches.iter().any(|arch| arch == "amd64")
}

fn is_at_least(machine: &Machine<'_>, version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let wanted = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    machine.kernel >= wanted
}

impl Syscalls {
    fn rule(&self) -> Result<Rule, String> {
        let arguments = self.args.iter().flatten();
        Ok(Rule {
            names: self.names.iter().chain(&self.name).cloned().collect(),
            verdict: verdict(&self.action, self.errno_ret)?,
            conditions: arguments
                .map(Argument::condition)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Argument {
    fn condition(&self) -> Result<Condition, String> {
        if self.index > 5 {
            return Err(format!("argument {} of 0 to 5", self.index));
        }
        let (operator, value) = match self.op.as_str() {
            "SCMP_CMP_EQ" => (Operator::Equal, self.value),
            "SCMP_CMP_NE" => (Operator::NotEqual, self.value),
            "SCMP_CMP_LT" => (Operator::Less, self.value),
            "SCMP_CMP_LE" => (Operator::LessOrEqual, self.value),
            "SCMP_CMP_GT" => (Operator::Greater, self.value),
            "SCMP_CMP_GE" => (Operator::GreaterOrEqual, self.value),
            "SCMP_CMP_MASKED_EQ" => {
                let mask = self.value;
                (Operator::MaskedEqual { mask }, self.value_two)
            }
            op => return Err(format!("unknown comparison {op}")),
        };
        Ok(Condition {
            argument: self.index,
            operator,
            value,
        })
    }
}

fn verdict(action: &str, errno: Option<u32>) -> Result<u32, String> {
    const EPERM: u32 = 1;
    let data = errno.unwrap_or(EPERM);
    if data > 0xffff {
        return Err(format!("errno {data} does not fit in 16 bits"));
    }
    Ok(match action {
        "SCMP_ACT_ALLOW" => RET_ALLOW,
        "SCMP_ACT_ERRNO" => RET_ERRNO | data,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => RET_KILL_THREAD,
        "SCMP_ACT_KILL_PROCESS" => RET_KILL_PROCESS,
        "SCMP_ACT_TRAP" => RET_TRAP,
        "SCMP_ACT_TRACE" => RET_TRACE | data,
        "SCMP_ACT_LOG" => RET_LOG,
        "SCMP_ACT_NOTIFY" => RET_NOTIFY,
        action => return Err(format!("unknown action {action}")),
    })
}
