//! hull, a container engine in one binary.
mod base;
mod config;
mod error;
mod init_program;
mod runtime;
mod sys;

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let c = runtime::bundle::Containers::at(std::path::Path::new("/run/hulltest")).unwrap();
    let o = runtime::bundle::CreateOptions { bundle: ".".into(), ..Default::default() };
    let r = match a[1].as_str() {
        "run" => c.run(&a[2], &o, false).map(|c| eprintln!("code {c}")),
        "create" => c.create(&a[2], &o).map(drop),
        "start" => c.start(&a[2]),
        "state" => c.state(&a[2]).map(|s| eprintln!("{s:?}")),
        "delete" => c.delete(&a[2], true),
        _ => Ok(()),
    };
    if let Err(e) = r { eprintln!("Error: {e:?}"); }
}
