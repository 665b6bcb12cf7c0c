//! search: Docker Hub's own, a registry's, and the catalog of those that have none.

use serde_json::json;

use crate::bed::Bed;
use crate::images::Image;
use crate::process::{Ran, run};
use crate::scripted::{Reply, Scripted};
use crate::sites::{Authority, Dates, Proxy, Site, SiteOptions, TlsFront};

root_and_user!(
    docker_hub_is_searched,
    a_registry_without_search_has_a_catalog,
    tags_are_listed_page_by_page,
    wrong_limits_and_filters_are_refused,
);

fn results() -> String {
    let long = "a description that is longer than forty-five characters are";
    json!({"num_results": 3, "results": [
        {"name": "ubuntu", "description": long, "star_count": 17000, "is_official": true,
         "is_automated": false},
        {"name": "me/ubuntu", "description": "mine\u{1b}[2J", "star_count": 2,
         "is_official": false, "is_automated": true},
        {"name": "other/ubuntu", "description": "", "star_count": 0, "is_official": false}]})
    .to_string()
}

fn docker_hub_is_searched(bed: &Bed) {
    let Some(authority) = Authority::new(bed) else {
        return;
    };
    let certificate = authority.issue("hub", "DNS:index.docker.io", Dates::Now);
    let hub = Scripted::start(|_| Reply::ok(results()));
    let front = TlsFront::start(&certificate, hub.address.port());
    let proxy = Proxy::start(&[("index.docker.io:443", front.port)]);
    let dir = bed.dir.join("work/trusted");
    std::fs::create_dir(&dir).expect("directory");
    std::fs::copy(authority.certificate(), dir.join("ca.crt")).expect("copied");
    let flag = format!("--cert-dir={}", dir.display());
    let search = |flags: &[&str], term: &str| -> Ran {
        let words = [&["search", &flag], flags, &[term]].concat();
        let mut command = bed.hull_command(&words);
        command.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port));
        run(command, b"")
    };
    let ran = search(&[], "ubuntu");
    let expected = "\
NAME           DESCRIPTION                                     STARS     OFFICIAL   AUTOMATED
ubuntu         a description that is longer than forty-five…   17000     [OK]       
me/ubuntu      mine\\x1b[2J                                     2                    [OK]
other/ubuntu                                                   0                    
";
    ran.fails(0).stdout_is(expected);
    assert_eq!(hub.asked()[0].path, "/v1/search?q=ubuntu&n=25");
    let ran = search(
        &["--limit", "3", "--format", "{{.Name}} {{.StarCount}}"],
        "u b&x=1",
    );
    ran.fails(0)
        .stdout_is("ubuntu 17000\nme/ubuntu 2\nother/ubuntu 0\n");
    assert_eq!(hub.asked()[1].path, "/v1/search?q=u%20b%26x%3D1&n=3");
    for (filter, names) in [
        ("stars=2", "ubuntu\nme/ubuntu\n"),
        ("is-official=true", "ubuntu\n"),
        ("is-official=false", "me/ubuntu\nother/ubuntu\n"),
    ] {
        let flags = ["--filter", filter, "--format", "{{.Name}}"];
        search(&flags, "docker.io/ubuntu").fails(0).stdout_is(names);
    }
    let whole = search(&["--no-trunc", "--format", "{{.Description}}"], "ubuntu");
    whole.fails(0).stdout_has("characters are\n");
    let as_json = search(&["--format", "json", "--limit", "1"], "ubuntu");
    as_json
        .fails(0)
        .stdout_has("\"IsOfficial\":\"true\"")
        .stdout_has("\"Name\":\"ubuntu\"");
    assert_eq!(as_json.stdout.lines().count(), 1, "no more than the limit");
}

fn a_registry_without_search_has_a_catalog(bed: &Bed) {
    let Some(site) = Site::start(bed, &SiteOptions::default()) else {
        return;
    };
    for name in ["team/app", "team/web", "app"] {
        site.push(&Image::busybox("x"), &format!("{name}:1"));
    }
    let host = site.host();
    let names = |term: &str| {
        let words = ["search", "--format", "{{.Name}}", &format!("{host}/{term}")];
        bed.hull(&words)
    };
    names("app")
        .fails(0)
        .stdout_is(&format!("{host}/app\n{host}/team/app\n"));
    names("team/w")
        .fails(0)
        .stdout_is(&format!("{host}/team/web\n"));
    names("nothing").fails(0).stdout_is("");
    assert_eq!(names("").fails(0).stdout.lines().count(), 3);
}

fn tags_are_listed_page_by_page(bed: &Bed) {
    let server = Scripted::start(|asked| {
        let page = |tags: &[&str]| Reply::ok(json!({"name": "app", "tags": tags}).to_string());
        match asked.path.as_str() {
            "/v2/app/tags/list" => {
                page(&["1", "2"]).header("Link: </v2/app/tags/list?last=2>; rel=\"next\"")
            }
            "/v2/app/tags/list?last=2" => page(&["3"]),
            _ => Reply::status("404 Not Found"),
        }
    });
    let host = server.address.to_string();
    let tags = bed.hull(&["search", "--list-tags", &format!("{host}/app")]);
    let name = format!("{host}/app");
    let row = |tag| format!("{name}   {tag}\n");
    let header = format!("{:width$}   TAG\n", "NAME", width = name.len());
    tags.fails(0)
        .stdout_is(&[header, row(1), row(2), row(3)].concat());
    let limited = [
        "search",
        "--list-tags",
        "--limit",
        "2",
        "--format",
        "{{.Tag}}",
        &name,
    ];
    bed.hull(&limited).fails(0).stdout_is("1\n2\n");
    let none = bed.hull(&["search", "--list-tags", &format!("{host}/none")]);
    none.fails(1).one_error_line().stderr_has("tags of");
}

fn wrong_limits_and_filters_are_refused(bed: &Bed) {
    for (words, part) in [
        (["--limit=101", "x"], "range"),
        (["--limit=-1", "x"], "range"),
        (["--filter=stars=many", "x"], "stars=many"),
        (["--filter=is-official=perhaps", "x"], "is-official=perhaps"),
        (["--filter=colour=red", "x"], "colour"),
        (["--no-trunc", "a b.example/x"], "not a registry"),
    ] {
        let words = [&["search"][..], &words].concat();
        bed.hull(&words).fails(1).one_error_line().stderr_has(part);
    }
}
