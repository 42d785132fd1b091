//! Images made from what the machine already has, in place of those from a registry: empty except for links, with the
//! machine's own programs mounted. Each behaves like the image that it replaces, as far as compose.yaml uses it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use mien_servers::missing::leave_out;

/// The links that an operating system has.
const LINKS: [(&str, &str); 6] = [
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("var/run", "/run"),
    ("image/valkey-server", "/usr/bin/redis-server"),
];
const FOLDERS: [&str; 6] = ["image", "etc", "tmp", "usr", "run/secrets", "var/lib/postgresql/data"];
const USERS: &str = "root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n";
const GROUPS: &str = "root:x:0:\npostgres:x:999:\n";
/// Postgres' image, as far as its environment variables are used.
const POSTGRES: &str = r#"#!/bin/sh
set -eu
mkdir -p /run/postgresql
chown postgres: /var/lib/postgresql/data /run/postgresql
run() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
cd /var/lib/postgresql/data
if [ ! -s PG_VERSION ]; then
    run initdb --pgdata=. --no-sync --encoding=UTF8 --locale=C --auth=scram-sha-256 --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE"
    echo "host all all all scram-sha-256" >> pg_hba.conf
    echo "CREATE DATABASE $POSTGRES_USER" | run postgres --single -D . postgres
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D . -c "listen_addresses=*" -c unix_socket_directories=/run/postgresql
"#;

/// The image that replaces a service's own, and its default command.
pub(crate) struct StandIn {
    pub(crate) image: String,
    /// Mounted from the machine.
    pub(crate) mounts: &'static [&'static str],
    pub(crate) command: &'static [&'static str],
}

/// `None` if the machine lacks one of the programs, which skips the test.
#[track_caller]
pub(crate) fn programs() -> Option<String> {
    for (program, package) in [("caddy", "caddy"), ("redis-server", "redis-server"), ("openssl", "openssl")] {
        if !Path::new("/usr/bin").join(program).is_file() {
            leave_out(&format!(
                "/usr/bin/{program} is missing; install it, for example with `apt-get install {package}`"
            ));
            return None;
        }
    }
    let folder = mien_servers::postgres_programs().filter(|folder| folder.starts_with("/usr"));
    if folder.is_none() {
        leave_out(
            "Postgres' programs are missing below /usr; install them, for example with `apt-get install postgresql`",
        );
    }
    Some(folder?.to_str().unwrap().to_owned())
}

/// The replacement for this image in compose.yaml. `ours` is what [`make`] made.
pub(crate) fn of(image: &str, ours: &str) -> StandIn {
    let machine = |command| StandIn { image: ours.to_owned(), mounts: &["/usr"], command };
    match image.split([':', '@']).next().unwrap() {
        "mien-relay" => StandIn { image: "localhost/mien-relay".to_owned(), mounts: &[], command: &[] },
        "caddy" => machine(&["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]),
        "postgres" => machine(&["/image/postgres"]),
        "valkey/valkey" => machine(&[]),
        other => panic!("compose.yaml has the image `{other}`, for which nothing stands in here"),
    }
}

/// Packs the contents of the image in `folder`.
pub(crate) fn pack(folder: &Path) -> std::path::PathBuf {
    let root = folder.join("root");
    for name in FOLDERS {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    for (name, target) in LINKS {
        symlink(target, root.join(name)).unwrap();
    }
    std::fs::write(root.join("etc/passwd"), USERS).unwrap();
    std::fs::write(root.join("etc/group"), GROUPS).unwrap();
    std::fs::write(root.join("image/postgres"), POSTGRES).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(root.join("image/postgres"), executable).unwrap();
    let archive = folder.join("image.tar");
    let packed = Command::new("tar").arg("-cf").arg(&archive).arg("-C").arg(&root).arg(".").status().unwrap();
    assert!(packed.success());
    archive
}
