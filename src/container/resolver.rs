//! /etc/resolv.conf of a container: what was asked for, the host's for the rest.

use std::fs;
use std::net::IpAddr;

use crate::state::{Config, NetworkMode};

/// The file's text.
pub(super) fn text(config: &Config) -> String {
    let host = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let asked = &config.dns;
    let nothing = asked.servers.is_empty() && asked.search.is_empty() && asked.options.is_empty();
    if nothing && config.network == NetworkMode::Host {
        return host;
    }
    merge(config, &host)
}

fn merge(config: &Config, host: &str) -> String {
    let asked = &config.dns;
    let fields = |key: &str| {
        let lines = host.lines().map(str::split_ascii_whitespace);
        let key = key.to_owned();
        lines.filter_map(move |mut words| (words.next()? == key).then(|| words.collect::<Vec<_>>()))
    };
    let of_host = fields("nameserver").filter_map(|words| words.first()?.parse::<IpAddr>().ok());
    // What listens on the host's loopback interface is not there in another network.
    let reachable =
        |address: &IpAddr| config.network == NetworkMode::Host || !address.is_loopback();
    let servers: Vec<IpAddr> = match asked.servers.is_empty() {
        true => of_host.filter(reachable).collect(),
        false => asked.servers.clone(),
    };
    let words = |asked: &[String], key: &str| -> Vec<String> {
        if !asked.is_empty() {
            return asked.to_vec();
        }
        let last = fields(key).next_back().unwrap_or_default();
        last.into_iter().map(str::to_owned).collect()
    };
    let mut text = String::new();
    let search = words(&asked.search, "search");
    // A single dot asks for none.
    if !search.is_empty() && search != ["."] {
        text.push_str(&format!("search {}\n", search.join(" ")));
    }
    for server in servers {
        text.push_str(&format!("nameserver {server}\n"));
    }
    let options = words(&asked.options, "options");
    if !options.is_empty() {
        text.push_str(&format!("options {}\n", options.join(" ")));
    }
    text
}
