#!/usr/bin/env bash
# What scripts written for Docker do with containers, step by step. tests/docker/run runs this once
# with docker and once with hull and compares what each step prints and how it ends.
#
#   DOCKER="docker -H unix:///x" IMAGE_TAR=/path/image.tar tests/docker/script.sh
#
# Each step is `t LABEL 'shell lines'`; its output goes to stdout as
#   === LABEL / stdout / --- stderr / stderr / --- exit N
# The working directory is a fresh temporary one. Nothing is fetched: the only image is loaded.
set -u
export LC_ALL=C TZ=UTC
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM

here=$(mktemp -d "${TMPDIR:-/tmp}/docker-script-XXXXXX")
trap 'cd / && rm -rf "$here"' EXIT
cd "$here" || exit 1
mkdir bin work
printf '#!/bin/sh\nexec %s "$@"\n' "$DOCKER" >bin/docker
chmod 0755 bin/docker
export PATH=$here/bin:$PATH DOCKER_CONFIG=$here/config
cd work || exit 1

# One step. Variables that its lines set stay for the later ones.
t() {
    local label=$1 code=0
    [[ -z ${ONLY:-} || $label =~ $ONLY || $label == setup-* ]] || return 0
    printf '=== %s\n' "$label"
    eval "$2" >../out 2>../err </dev/null || code=$?
    cat ../out
    # A last line without an end shows.
    [[ ! -s ../out || -z $(tail -c 1 ../out) ]] || printf '<no newline>\n'
    printf -- '--- stderr\n'
    cat ../err
    [[ ! -s ../err || -z $(tail -c 1 ../err) ]] || printf '<no newline>\n'
    printf -- '--- exit %d\n' "$code"
}

# Waits until a command succeeds, for 20 seconds at most.
until_true() {
    local i
    for ((i = 0; i < 200; i++)); do
        if eval "$1" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    echo "never: $1" >&2
    return 1
}

# A container whose process ended is marked so a moment later.
ended() { until_true "[ \"\$(docker inspect -f '{{.State.Status}}' $1)\" = exited ]"; }

# ---- images, version, info -----------------------------------------------------------------------
t setup-load 'docker load -q -i "$IMAGE_TAR"'
t images 'docker images'
t images-format "docker images --format '{{.Repository}}:{{.Tag}}'"
t images-quiet 'docker images -q | wc -l'
t images-filter "docker image ls --filter reference='busy*' --format '{{.Repository}}'"
t image-inspect "docker image inspect -f '{{.Os}} {{json .Config.Cmd}} {{len .RootFS.Layers}}' busybox:test"
t image-tag 'docker tag busybox:test local/other:1 && docker images --format "{{.Repository}}:{{.Tag}}" | sort'
t image-untag 'docker rmi local/other:1'
t image-missing 'docker image inspect nosuch:1'
t image-rm-missing 'docker rmi nosuch:1'
t image-ls-none 'docker images nosuch; docker images -q nosuch:1'
t image-ls-json "docker images --format json busybox:test | jq -r '.Repository, .Tag, .Containers'"
t image-ls-pattern "docker images --format '{{.Repository}}:{{.Tag}}' 'busy*:t*'"
t image-ls-filters "docker tag busybox:test f:1; docker images -f label=no=such -q; docker images -f dangling=true -q; docker images --format '{{.Tag}}' -f reference='f:*'; docker images -q -f before=f:1; docker images -f bogus=1; docker rmi f:1"
t image-inspect-fields "docker image inspect busybox:test | jq -r '.[0] | keys[]' | sort"
t image-inspect-json "docker image inspect -f '{{json .RootFS.Type}} {{.Architecture}} {{.RepoTags}} {{.Author}} {{.Config.User}}' busybox:test"
t image-inspect-two 'docker image inspect -f "{{.Os}}" busybox:test nosuch:1; echo $?'
t history-table 'docker history --no-trunc busybox:test'
t history-quiet 'docker history -q busybox:test; docker history -H=false --format "{{.Size}} {{.Comment}}" busybox:test | grep -c "^[0-9]* "; docker history nosuch'
t save-load 'docker save -o s.tar busybox:test && docker load -i s.tar; docker save busybox:test | docker load -q; rm s.tar'
t save-names "docker tag busybox:test sv:1; docker tag busybox:test sv:2; docker save sv | tar -xO manifest.json | jq -r '.[0].RepoTags | sort[]'; docker save \$(docker images -q --no-trunc sv:1) | tar -xO manifest.json | jq -c '.[0].RepoTags'; docker rmi sv:1 sv:2"
t save-same-image 'id=$(docker images -q --no-trunc busybox:test); docker save busybox:test | gzip > s.tgz; docker tag busybox:test kept:1; docker rmi busybox:test > /dev/null; docker load -i s.tgz; docker rmi kept:1; [ "$id" = "$(docker images -q --no-trunc busybox:test)" ] && echo same; rm s.tgz'
t save-missing 'docker save nosuch:1 | wc -c; docker save -o no/such/x.tar busybox:test; docker save'
t save-terminal 'script -qec "$DOCKER save busybox:test" /dev/null'
t load-renames 'docker save busybox:test > s.tar; docker tag busybox:test old:1; docker rmi busybox:test; docker create --name rn old:1 > /dev/null; docker commit -m other rn busybox:test > /dev/null; docker load -i s.tar; docker rm rn; docker rmi old:1; docker image prune -f > /dev/null; docker images --format "{{.Repository}}:{{.Tag}}"; rm s.tar'
t load-bad 'echo no | docker load; docker load -i no/such.tar; echo $?'
t import-file 'tar -cf i.tar -C / etc/hostname; docker import i.tar im:1 | grep -c ^sha256:; docker image inspect -f "{{.Comment}} {{len .RootFS.Layers}} {{.Config.Cmd}}" im:1; docker history --format "{{.CreatedBy}}|{{.Comment}}" im:1; docker rmi im:1 | head -n 1; rm i.tar'
t import-changes "tar -c -C / etc/hostname | docker import -m msg -c 'ENV A=1' -c 'EXPOSE 80' -c 'USER u' -c 'WORKDIR /w' -c 'VOLUME /v' -c 'LABEL a=b' -c 'ENTRYPOINT [\"/e\"]' -c 'ONBUILD RUN x' - im:2 | grep -c ^sha256:; docker image inspect -f '{{.Comment}} {{json .Config.Env}} {{json .Config.ExposedPorts}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Volumes}} {{json .Config.Labels}} {{json .Config.Entrypoint}} {{json .Config.OnBuild}}' im:2; docker rmi im:2 | head -n 1"
t import-missing 'docker import no/such.tar; echo $?; echo text | docker import - bad:1; docker import'
t tag-errors 'docker tag nosuch:1 x:1; docker tag busybox:test UPPER; docker tag busybox:test x@sha256:0000000000000000000000000000000000000000000000000000000000000000'
t history-format "docker history --format '{{.CreatedBy}}' busybox:test"
t version-client "docker version --format '{{.Client.Os}}'"
t version-server "docker version --format '{{.Server.Os}}' && docker version -f '{{.Server.Version}}' | grep -c '^[0-9]*\\.[0-9]*\\.'"
t version-flag 'docker --version | wc -l; docker -v | grep -c version'
t info-fields "docker info -f '{{.OSType}} {{.Architecture}} {{.NCPU}} {{.Driver}} {{.LoggingDriver}}'"
t info-counts "docker info -f '{{.Containers}} {{.ContainersRunning}} {{.ContainersPaused}} {{.ContainersStopped}} {{.Images}}'"
t info-json "docker info --format '{{json .}}' | head -c 1"
t info-text "docker info 2>/dev/null | sed 's/:.*//' | grep -E '^ *(Containers|Running|Paused|Stopped|Images|Server Version|Storage Driver|Logging Driver|Cgroup Version|Kernel Version|Operating System|OSType|Architecture|CPUs|Total Memory|Name|Docker Root Dir)\$'"

# ---- run: results, streams, exit codes -------------------------------------------------------------
t run-echo 'docker run --rm busybox:test echo hello world'
t run-image-command 'docker run --rm busybox:test; echo $?'
t run-exit-code 'docker run --rm busybox:test sh -c "exit 42"'
t run-exit-zero 'if docker run --rm busybox:test true; then echo yes; else echo no; fi'
t run-exit-1 'docker run --rm busybox:test false || echo "failed with $?"'
t run-not-found 'docker run --rm busybox:test nosuchprogram'
t run-not-found-path 'docker run --rm busybox:test /no/such'
t run-not-executable 'docker run --rm busybox:test /etc/passwd'
t run-directory 'docker run --rm busybox:test /etc'
t run-unknown-flag 'docker run --no-such-flag busybox:test'
t run-no-image 'docker run'
t run-pull-never 'docker run --pull never nosuch:1 true'
t run-pull-bogus 'docker run --pull bogus busybox:test true'
t run-killed 'docker run --rm busybox:test sh -c "kill -9 \$\$"; docker run --rm --init busybox:test sh -c "kill -9 \$\$"'
t run-stdout-stderr 'docker run --rm busybox:test sh -c "echo out; echo err >&2" 2>/dev/null'
t run-stderr-only 'docker run --rm busybox:test sh -c "echo out; echo err >&2" >/dev/null'
t run-stdin 'echo "some input" | docker run -i --rm busybox:test cat'
t run-stdin-nonewline 'printf abc | docker run -i --rm busybox:test wc -c'
t run-stdin-file 'seq 1 1000 >numbers; docker run -i --rm busybox:test md5sum <numbers'
t run-stdin-closed 'echo lost | docker run --rm busybox:test cat'
t run-pipe-chain 'printf "b\na\nc\n" | docker run -i --rm busybox:test sort | docker run -i --rm busybox:test tail -n 1'
t run-large-pipe 'docker run --rm busybox:test sh -c "seq 1 200000" | md5sum'
t run-binary 'head -c 100000 /bin/busybox | docker run -i --rm busybox:test cat | cmp - <(head -c 100000 /bin/busybox) && echo same'
t run-heredoc 'docker run -i --rm busybox:test sh <<EOF
echo one
cd /tmp && pwd
exit 3
EOF'
t run-substitution 'kernel=$(docker run --rm busybox:test uname -s); echo "$kernel"'
t run-no-tty 'docker run --rm -it busybox:test true'
t run-tty 'script -qec "docker run --rm -t busybox:test sh -c \"test -t 1 && echo terminal\"" /dev/null | od -c | head -n 2'
t run-tty-crlf 'docker run --rm -t busybox:test printf "a\nb\n" | od -c'
t run-detach-id 'docker run -d --rm busybox:test true | grep -cE "^[0-9a-f]{64}$"'
t run-attach-stdout 'docker run --rm -a stdout busybox:test sh -c "echo out; echo err >&2"'
t run-attach-stderr 'docker run --rm -a stderr busybox:test sh -c "echo out; echo err >&2"'
t run-attach-detach 'docker run -d -a stdout busybox:test true'

# ---- run: the process's surroundings ---------------------------------------------------------------
t run-env 'docker run --rm -e A=1 -e "B=two words" -e C= busybox:test sh -c "echo \"\$A|\$B|\$C|\${D-unset}\""'
t run-env-host 'export FROM_HOST=yes; unset NOT_THERE; docker run --rm -e FROM_HOST -e NOT_THERE busybox:test sh -c "echo \$FROM_HOST \${NOT_THERE-unset}"'
t run-env-file 'printf "# comment\nA=1\nB=\"quoted\"\n\nC=x=y\nFROM_HOST\n" >env; docker run --rm --env-file env busybox:test env | grep -E "^(A|B|C|FROM_HOST)=" | sort'
t run-env-file-bad 'printf "bad key=1\n" >badenv; docker run --rm --env-file badenv busybox:test env'
t run-env-file-missing 'docker run --rm --env-file nosuchfile busybox:test env'
t run-env-all 'docker run --rm --hostname box busybox:test env | sort'
t run-env-tty 'docker run --rm -t --hostname box busybox:test env | tr -d "\r" | sort'
t run-env-order 'docker run --rm --env-file env -e A=cli busybox:test sh -c "echo \$A"'
t run-workdir 'docker run --rm -w /tmp busybox:test pwd'
t run-workdir-new 'docker run --rm -w /new/dir busybox:test pwd'
t run-workdir-relative 'docker run --rm -w not/absolute busybox:test pwd'
t run-user 'docker run --rm -u 1000:50 busybox:test id -u; docker run --rm -u guest busybox:test id'
t run-user-numeric 'docker run --rm -u 1234 busybox:test id'
t run-user-group 'docker run --rm -u guest:staff busybox:test id'
t run-user-missing 'docker run --rm -u nosuch busybox:test id'
t run-group-missing 'docker run --rm -u root:nosuch busybox:test id'
t run-group-add 'docker run --rm --group-add staff --group-add 777 busybox:test id -G'
t run-hostname 'docker run --rm -h myhost busybox:test hostname'
t run-hostname-default 'docker run --rm busybox:test sh -c "hostname | wc -c"'
t run-hostname-file 'docker run --rm -h myhost busybox:test cat /etc/hostname'
t run-domainname 'docker run --rm -h myhost --domainname example.org busybox:test sh -c "cat /etc/hostname; cat /proc/sys/kernel/domainname"'
t run-add-host 'docker run --rm --add-host db:10.0.0.5 busybox:test grep db /etc/hosts'
t run-add-host-bad 'docker run --rm --add-host nonsense busybox:test true'
t run-dns 'docker run --rm --dns 9.9.9.9 --dns-search example.org --dns-option ndots:2 busybox:test grep -v "^#" /etc/resolv.conf'
t run-entrypoint 'docker run --rm --entrypoint /bin/echo busybox:test from entrypoint'
t run-entrypoint-clears 'docker run --rm --entrypoint "" busybox:test echo plain'
t run-entrypoint-alone 'docker run --rm --entrypoint "" busybox:test'
t run-read-only 'docker run --rm --read-only busybox:test touch /x'
t run-tmpfs 'docker run --rm --read-only --tmpfs /space:size=1m busybox:test sh -c "touch /space/x && df -k /space | tail -n 1 | awk \"{print \\\$2}\""'
t run-bind 'mkdir -p share; echo shared >share/f; docker run --rm -v "$PWD/share:/mnt" busybox:test cat /mnt/f'
t run-bind-write 'docker run --rm -v "$PWD/share:/mnt" busybox:test sh -c "echo new >/mnt/g"; cat share/g'
t run-bind-ro 'docker run --rm -v "$PWD/share:/mnt:ro" busybox:test touch /mnt/h'
t run-bind-missing 'docker run --rm -v "$PWD/made:/mnt" busybox:test true; ls -d made'
t run-bind-file 'docker run --rm -v "$PWD/share/f:/etc/motd:ro" busybox:test cat /etc/motd'
t run-bind-relative 'docker run --rm -v rel/path:/x busybox:test true'
t run-bind-bad 'docker run --rm -v /a:/b:nonsense busybox:test true'
t run-mount-bind 'docker run --rm --mount type=bind,source="$PWD/share",target=/m,readonly busybox:test sh -c "cat /m/f; touch /m/x"'
t run-mount-missing 'docker run --rm --mount type=bind,source=/no/such,target=/m busybox:test true'
t run-mount-tmpfs 'docker run --rm --mount type=tmpfs,target=/t,tmpfs-size=1048576,tmpfs-mode=700 busybox:test sh -c "stat -c %a /t; df -k /t | tail -n 1 | awk \"{print \\\$2}\""'
t run-ulimit 'docker run --rm --ulimit nofile=100:200 busybox:test sh -c "ulimit -n; ulimit -Hn"'
t run-ulimit-bad 'docker run --rm --ulimit nofile=200:100 busybox:test true'
t run-shm 'docker run --rm busybox:test sh -c "df -k /dev/shm | tail -n 1 | awk \"{print \\\$2}\""; docker run --rm --shm-size 1m busybox:test sh -c "df -k /dev/shm | tail -n 1 | awk \"{print \\\$2}\""'
t run-caps 'docker run --rm busybox:test grep Cap /proc/self/status'
t run-caps-drop 'docker run --rm --cap-drop ALL --cap-add chown busybox:test grep CapEff /proc/self/status'
t run-caps-bad 'docker run --rm --cap-add NOSUCH busybox:test true'
t run-privileged 'docker run --rm --privileged busybox:test grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status'
t run-nnp 'docker run --rm --security-opt no-new-privileges busybox:test grep NoNewPrivs /proc/self/status'
t run-seccomp-off 'docker run --rm --security-opt seccomp=unconfined busybox:test grep ^Seccomp: /proc/self/status'
t run-sysctl 'docker run --rm --sysctl kernel.shmmni=99 busybox:test cat /proc/sys/kernel/shmmni'
t run-sysctl-bad 'docker run --rm --sysctl kernel.panic=1 busybox:test true'
t run-oom-score 'docker run --rm --oom-score-adj 500 busybox:test cat /proc/self/oom_score_adj'
t run-net-none 'docker run --rm --network none busybox:test ls /sys/class/net'
t run-net-host 'docker run --rm --net host busybox:test hostname | grep -c "^$(hostname)$"'
t run-pid1 'docker run --rm busybox:test sh -c "echo \$\$"'
t run-devices 'docker run --rm busybox:test ls /dev | tr "\n" " "'
t run-mountinfo 'docker run --rm busybox:test sh -c "awk \"{print \\\$5}\" /proc/self/mountinfo | sort" | tr "\n" " "'
t run-rm-restart 'docker run --rm --restart always busybox:test true'
t run-restart-bogus 'docker run --restart bogus busybox:test true'
t run-memory-small 'docker run --rm -m 1m busybox:test true'
t run-memory 'docker run --rm -m 64m busybox:test sh -c "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"'
t run-memory-bad 'docker run --rm -m lots busybox:test true'
t run-pids-limit 'docker run --rm --pids-limit 50 busybox:test sh -c "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max"'
t run-cpus 'docker run --name cpus --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 busybox:test true; docker inspect -f "{{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}" cpus; docker rm cpus'
t run-cpus-bad 'docker run --rm --cpus -1 busybox:test true'
t run-no-command 'docker run --rm --entrypoint "" busybox:test ""'
t run-name-bad 'docker run --rm --name "bad name" busybox:test true'
t run-label-file 'printf "a=1\nb\n" >labels; docker run --name lab --label-file labels -l c=3 busybox:test true; docker inspect -f "{{json .Config.Labels}}" lab; docker rm lab'
t run-stop-signal 'docker run -d --name sig --stop-signal USR1 busybox:test sh -c "trap \"exit 7\" USR1; while :; do sleep 0.1; done"; until_true "docker top sig"; sleep 1; docker stop sig; docker wait sig; docker rm sig'

# ---- create, start, names, cidfile -----------------------------------------------------------------
t create 'docker create --name made busybox:test sh -c "echo from created; exit 5" | wc -c'
t create-state "docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.Pid}}' made"
t create-twice 'docker create --name made busybox:test true'
t create-start 'docker start -a made'
t create-start-again 'docker start made; docker wait made; docker logs made'
t create-rm 'docker rm made; docker rm made'
t create-options-order 'docker create -it --name ito busybox:test sh | wc -l; docker inspect -f "{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}}" ito; docker rm ito'
t start-missing 'docker start nosuch'
t start-two-missing 'docker start nosuch1 nosuch2'
t start-interactive 'docker create -i --name cat busybox:test cat >/dev/null; echo fed | docker start -ai cat; docker rm cat'
t cidfile 'docker run --cidfile id --name cid busybox:test true; wc -c <id; docker inspect -f "{{.Id}}" cid | cmp -n 64 - id && echo same; docker rm cid'
t cidfile-exists 'docker run --cidfile id busybox:test true'
t name-conflict 'docker create --name one busybox:test true >/dev/null; docker run --name one busybox:test true; docker rm one'
t random-name 'id=$(docker create busybox:test true); docker inspect -f "{{.Name}}" $id | grep -cE "^/[a-z]+_[a-z]+[0-9]*$"; docker rm $id >/dev/null'
t id-prefix 'id=$(docker create busybox:test true); short=${id:0:12}; docker inspect -f "{{.State.Status}}" $short; docker rm ${id:0:8} | wc -c'

# ---- a long-lived container: exec, top, logs, attach -----------------------------------------------
t setup-web 'docker run -d --name web --label app=web --label tier=front -e MODE=prod -w /tmp -h webhost busybox:test sh -c "trap \"exit 0\" TERM; echo started; echo warning >&2; while :; do sleep 0.2; done" | wc -c; until_true "docker logs web 2>&1 | grep -q warning"'
t web-state "docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.OOMKilled}} {{.State.Dead}} {{.State.ExitCode}}' web"
t exec-echo 'docker exec web echo inside'
t exec-env 'docker exec -e EXTRA=1 web sh -c "echo \$MODE \$EXTRA \$HOSTNAME \$PWD"'
t exec-env-file 'docker exec --env-file env web sh -c "echo \$A \$C"'
t exec-workdir 'docker exec -w /etc web pwd'
t exec-user 'docker exec -u guest web id -un'
t exec-user-missing 'docker exec -u nosuch web id'
t exec-exit 'docker exec web sh -c "exit 9"'
t exec-missing-command 'docker exec web nosuchprogram 2>&1 | tr -d "\r" | sed "s/.*exec: /exec: /"; echo ${PIPESTATUS[0]}'
t exec-not-executable 'docker exec web /etc/passwd 2>&1 | tr -d "\r" | sed "s/.*exec: /exec: /"; echo ${PIPESTATUS[0]}'
t exec-stdin 'echo piped | docker exec -i web cat'
t exec-stdin-closed 'echo lost | docker exec web cat'
t exec-detach 'docker exec -d web sh -c "echo detached >/tmp/mark"; until_true "docker exec web test -s /tmp/mark"; docker exec web cat /tmp/mark'
t exec-tty 'docker exec -t web sh -c "test -t 1 && echo terminal" | od -c | head -n 1'
t exec-no-tty 'docker exec -it web sh'
t exec-missing 'docker exec nosuch true'
t exec-no-args 'docker exec web'
t exec-prefix 'docker exec $(docker ps -q --filter name=^web$) hostname'
t exec-loop 'for i in 1 2 3; do docker exec web echo $i; done'
t exec-streams 'docker exec web sh -c "echo o; echo e >&2" 2>/dev/null'
t exec-privileged 'docker exec --privileged web grep CapEff /proc/self/status'
t top 'docker top web | head -n 1'
t top-count 'docker top web -o pid | head -n 1; docker top web | grep -c "[t]rap"'
t top-options 'docker top web -o pid,comm | head -n 1'
t top-missing 'docker top nosuch'
t logs 'docker logs web'
t logs-stdout 'docker logs web 2>/dev/null'
t logs-tail 'docker run --name lines busybox:test seq 1 10 >/dev/null; docker logs --tail 3 lines; docker logs -n 1 lines; docker logs --tail 0 lines'
t logs-tail-all 'docker logs --tail all lines | wc -l'
t logs-tail-bad 'docker logs --tail nonsense lines | wc -l'
t logs-timestamps 'docker logs -t --tail 2 lines | sed -E "s/^[0-9-]{10}T[0-9:]{8}\.[0-9]+Z /TIME /"'
t logs-since 'docker logs --since 2000-01-01 lines | wc -l; docker logs --since 1h lines | wc -l; docker logs --until 2000-01-01T00:00:00Z lines | wc -l'
t logs-since-bad 'docker logs --since nonsense lines'
t logs-follow-ended 'docker logs -f lines | tail -n 1'
t logs-follow 'docker run -d --name talk busybox:test sh -c "for i in 1 2 3; do echo line \$i; sleep 0.3; done" >/dev/null; timeout 20 docker logs -f talk; docker rm -f talk'
t logs-order 'docker run --name order busybox:test sh -c "for i in 1 2 3 4 5; do echo \$i; done" >/dev/null; docker start order >/dev/null; docker wait order >/dev/null; docker logs order | tr "\n" " "; docker rm order'
t logs-missing 'docker logs nosuch'
t logs-details 'docker run --name det --log-opt labels=a -l a=1 busybox:test echo detailed >/dev/null; docker logs --details det; docker rm det'
t logs-none 'docker run --name nolog --log-driver none busybox:test echo unseen; docker logs nolog; docker rm nolog'
t logs-driver-bad 'docker run --rm --log-driver nosuch busybox:test true'
t logs-opt 'docker run --name rot --log-opt max-size=1m --log-opt max-file=2 busybox:test true; docker inspect -f "{{json .HostConfig.LogConfig}}" rot; docker rm rot'
t logs-partial 'docker run --name part busybox:test printf "no newline"; echo; docker logs part; docker rm part'
t logs-rm 'docker rm lines'
t attach-stopped 'docker create --name idle busybox:test true >/dev/null; docker attach idle; docker rm idle'
t attach 'docker run -d --name att busybox:test sh -c "sleep 2; echo late; exit 4" >/dev/null; timeout 20 docker attach att; echo $?; docker rm att'
t attach-nostdin 'docker run -di --name att2 busybox:test sh -c "sleep 1; echo done" >/dev/null; echo x | timeout 20 docker attach --no-stdin att2; docker rm -f att2'
t attach-stdin 'docker run -di --name att3 busybox:test sh -c "read line; echo got \$line" >/dev/null; (echo word; sleep 2) | timeout 20 docker attach att3; docker rm -f att3'
t attach-missing 'docker attach nosuch'

# ---- ps: filters and formats -----------------------------------------------------------------------
t ps-setup 'docker create --name c1 -l tier=back busybox:test true >/dev/null; docker run --name e3 busybox:test sh -c "exit 3"; docker run --name e0 busybox:test true; ended e0'
t ps-header 'docker ps | head -n 1'
t ps-row "docker ps | sed 1d | awk '{print \$1 != \"\", \$2, \$NF}'"
t ps-all-names "docker ps -a --format '{{.Names}}'"
t ps-all 'docker ps -a --no-trunc | sed "s/  */ /g" | sed 1d | cut -d" " -f2- | sort'
t ps-quiet 'docker ps -q | wc -c; docker ps -aq | wc -l; docker ps -q --no-trunc | wc -c'
t ps-status "docker ps -a --format '{{.Names}}|{{.Status}}|{{.State}}'"
t ps-filter-status "docker ps --filter status=exited --format '{{.Names}}' | sort"
t ps-filter-created "docker ps -f status=created --format '{{.Names}}'"
t ps-filter-two-status "docker ps -a -f status=created -f status=running --format '{{.Names}}' | sort"
t ps-filter-exited "docker ps -a --filter exited=3 --format '{{.Names}}'"
t ps-filter-name "docker ps -a --filter name=e --format '{{.Names}}' | sort"
t ps-filter-name-anchor "docker ps -a --filter 'name=^/e[0-9]\$' --format '{{.Names}}' | sort"
t ps-filter-label "docker ps -a --filter label=tier --format '{{.Names}}' | sort; docker ps -a --filter label=tier=back --format '{{.Names}}'"
t ps-filter-labels "docker ps -a -f label=tier -f label=app=web --format '{{.Names}}'"
t ps-filter-ancestor "docker ps -a --filter ancestor=busybox:test --format '{{.Names}}' | wc -l"
t ps-filter-id 'docker ps -a -f id=$(docker inspect -f "{{.Id}}" e3) --format "{{.Names}}"'
t ps-filter-before "docker ps -a -f before=e0 --format '{{.Names}}' | sort"
t ps-filter-since "docker ps -a -f since=e3 --format '{{.Names}}'"
t ps-filter-health "docker ps -a -f health=none --format '{{.Names}}' | wc -l"
t ps-filter-network "docker ps -a -f network=none --format '{{.Names}}' | wc -l"
t ps-filter-volume "docker ps -a -f volume=/nowhere --format '{{.Names}}'"
t ps-filter-bogus 'docker ps --filter bogus=1'
t ps-filter-bogus-status 'docker ps --filter status=bogus'
t ps-filter-no-value 'docker ps --filter status'
t ps-last "docker ps -n 2 --format '{{.Names}}'; docker ps -l --format '{{.Names}}'"
t ps-table "docker ps -a --format 'table {{.Names}}\t{{.State}}\t{{.Image}}'"
t ps-table-label "docker ps --format 'table {{.Names}}\t{{.Label \"app\"}}'"
t ps-labels "docker ps --format '{{.Labels}}' | tr , '\n' | sort"
t ps-label-function "docker ps -a --format '{{.Names}} {{.Label \"tier\"}}' | sort"
t ps-command "docker ps -a --format '{{.Command}}' | sort -u; docker ps -a --no-trunc --format '{{.Command}}' | sort -u"
t ps-json "docker ps --format json | tr , '\n' | sed 's/:.*//' | tr -d '{' | sort"
t ps-json-function "docker ps --format '{{json .Names}} {{json .Image}}'"
t ps-size 'docker ps -s | head -n 1 | sed "s/  */ /g"'
t ps-size-format "docker ps -as --format '{{.Names}} {{.Size}}' | sort"
t ps-functions "docker ps --format '{{upper .Names}} {{.Names | printf \"%-6s|\"}} {{if eq .State \"running\"}}up{{else}}down{{end}} {{len .Names}} {{slice .ID 0 0}}.'"
t ps-split "docker ps --format '{{range split .Image \":\"}}<{{.}}>{{end}} {{join (split .Names \"e\") \"-\"}} {{title .Names}} {{lower .Names}} {{pad .Names 1 2}}| {{truncate .Image 4}}'"
t ps-bad-template "docker ps --format '{{.Names'"
t ps-bad-field "docker ps --format '{{.Nope}}'"
t ps-words 'docker ps web'
t ps-container-ls "docker container ls --format '{{.Names}}' && docker container ps -q | wc -l && docker container list -q | wc -l"
t ps-networks "docker ps --format '{{.Networks}}|{{.Mounts}}|{{.Ports}}|{{.LocalVolumes}}'"
t ps-times "docker ps -a --format '{{.CreatedAt}}|{{.RunningFor}}' | head -n 1"

# ---- inspect ---------------------------------------------------------------------------------------
t inspect-template "docker inspect -f '{{.Name}} {{.Config.Image}} {{.Config.Hostname}} {{.Config.WorkingDir}} {{.Path}} {{len .Args}}' web"
t inspect-env "docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' web"
t inspect-labels "docker inspect -f '{{index .Config.Labels \"app\"}} {{range \$k, \$v := .Config.Labels}}{{\$k}}={{\$v}};{{end}}' web"
t inspect-json "docker inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}}' web"
t inspect-hostconfig "docker inspect -f '{{.HostConfig.NetworkMode}} {{.HostConfig.Privileged}} {{.HostConfig.AutoRemove}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Memory}} {{.HostConfig.ShmSize}} {{.HostConfig.ReadonlyRootfs}} {{.RestartCount}}' web"
t inspect-state-keys "docker inspect -f '{{json .State}}' web | tr , '\n' | sed 's/:.*//' | tr -d '{}\"' | sort"
t inspect-top-keys "docker inspect -f '{{range \$k, \$v := .}}{{println \$k}}{{end}}' web | sort"
t inspect-config-keys "docker inspect -f '{{range \$k, \$v := .Config}}{{println \$k}}{{end}}' web | sort"
t inspect-hostconfig-keys "docker inspect -f '{{range \$k, \$v := .HostConfig}}{{println \$k}}{{end}}' web | sort"
t inspect-network-keys "docker inspect -f '{{range \$k, \$v := .NetworkSettings}}{{println \$k}}{{end}}' web | sort"
t inspect-networks "docker inspect -f '{{range \$k, \$v := .NetworkSettings.Networks}}{{\$k}}{{end}} {{.NetworkSettings.IPAddress}}.' web"
t inspect-size "docker inspect -s -f '{{.SizeRw}}' web | grep -cE '^[0-9]+\$'"
t inspect-jq "docker inspect web | jq -r '.[0] | .Name, .State.Status, .HostConfig.LogConfig.Type, (.Mounts | length)'"
t inspect-two "docker inspect -f '{{.Name}}' web e3"
t inspect-missing 'docker inspect nosuch'
t inspect-one-missing "docker inspect -f '{{.Name}}' web nosuch e3"
t inspect-type 'docker inspect --type image web'
t inspect-type-container "docker inspect --type container -f '{{.Name}}' web"
t inspect-type-bad 'docker inspect --type bogus web'
t inspect-bad-field "docker inspect -f '{{.Nope}}' web"
t inspect-bad-template "docker inspect -f '{{.Name' web"
t inspect-container "docker container inspect -f '{{.Id}}' web | wc -c"
t inspect-times "docker inspect -f '{{.State.StartedAt}} {{.State.FinishedAt}} {{.Created}}' web"
t inspect-conditional "docker inspect -f '{{if .State.Running}}running{{else}}stopped{{end}} {{with .State.Health}}{{.Status}}{{else}}no health{{end}}' e0 2>&1"
t inspect-pid "test \$(docker inspect -f '{{.State.Pid}}' web) -gt 1 && echo alive; docker inspect -f '{{.State.Pid}}' e0"
t inspect-mounts "docker create --name mnt -v \"\$PWD/share:/m:ro\" busybox:test >/dev/null; docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}}' mnt; docker inspect -f '{{len .HostConfig.Binds}}' mnt; docker rm mnt"
t inspect-restart "docker create --name rp --restart on-failure:3 busybox:test >/dev/null; docker inspect -f '{{json .HostConfig.RestartPolicy}}' rp; docker rm rp"
t inspect-limits "docker create --name lim -m 64m --cpus 1.5 --pids-limit 20 busybox:test >/dev/null; docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.MemorySwap}}' lim; docker rm lim"
t inspect-caps "docker create --name caps --cap-add NET_ADMIN --cap-drop chown --privileged busybox:test >/dev/null; docker inspect -f '{{.HostConfig.CapAdd}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}' caps; docker rm caps"

# ---- stop, kill, wait, restart, pause --------------------------------------------------------------
t stop 'docker stop web; docker inspect -f "{{.State.Status}} {{.State.ExitCode}}" web'
t stop-again 'docker stop web'
t stop-missing 'docker stop nosuch'
t stop-time 'docker run -d --name stubborn busybox:test sh -c "trap : TERM; while :; do sleep 0.2; done" >/dev/null; docker stop -t 1 stubborn; docker inspect -f "{{.State.ExitCode}}" stubborn; docker rm stubborn'
t stop-signal 'docker run -d --name hup busybox:test sh -c "trap \"exit 6\" HUP; while :; do sleep 0.1; done" >/dev/null; sleep 1; docker stop -s HUP hup >/dev/null 2>&1; docker rm -f hup'
t kill-stopped 'docker kill e3'
t kill-missing 'docker kill nosuch'
t restart-web 'docker restart -t 5 web; docker inspect -f "{{.State.Status}}" web; until_true "[ \$(docker logs web 2>/dev/null | wc -l) = 2 ]"; docker logs web 2>/dev/null'
t restart-stopped 'docker restart e3; docker wait e3'
t restart-missing 'docker restart nosuch'
t kill-signal 'docker run -d --name sigs busybox:test sh -c "trap \"echo usr1\" USR1; trap \"exit 8\" INT; while :; do sleep 0.1; done" >/dev/null; sleep 1; docker kill -s USR1 sigs; until_true "docker logs sigs | grep -q usr1"; docker kill --signal=SIGINT sigs; docker wait sigs; docker logs sigs; docker rm sigs'
t kill-number 'docker run -d --name num busybox:test sleep 100 >/dev/null; docker kill -s 9 num; docker wait num; docker rm num'
t kill-bad-signal 'docker kill -s NOSUCH web'
t kill 'docker run -d --name victim busybox:test sleep 100 >/dev/null; docker kill victim; docker wait victim; docker inspect -f "{{.State.Status}} {{.State.ExitCode}}" victim; docker rm victim'
t wait 'docker run -d --name w1 busybox:test sh -c "sleep 1; exit 3" >/dev/null; docker run -d --name w2 busybox:test true >/dev/null; docker wait w1 w2; docker rm w1 w2'
t wait-stopped 'docker wait e3 e0'
t wait-missing 'docker wait nosuch e0'
t wait-background 'docker run -d --name bg busybox:test sh -c "sleep 1; exit 2" >/dev/null; docker wait bg >code & wait $!; cat code; docker rm bg'
t pause 'docker pause web; docker inspect -f "{{.State.Status}} {{.State.Paused}} {{.State.Running}}" web; docker ps --format "{{.Status}}" -f name=web'
t pause-again 'docker pause web'
t pause-exec 'docker exec web true'
t pause-filter "docker ps -f status=paused --format '{{.Names}}'"
t unpause 'docker unpause web; docker inspect -f "{{.State.Status}}" web'
t unpause-again 'docker unpause web'
t pause-stopped 'docker pause e0'
t pause-missing 'docker pause nosuch; docker unpause nosuch'
t stop-paused 'docker pause web >/dev/null; docker stop -t 2 web; docker start web; docker inspect -f "{{.State.Paused}} {{.State.Running}}" web'
t signal-proxy 'docker run --name prox --rm busybox:test sh -c "trap \"echo got term; exit 42\" TERM; echo ready; while :; do sleep 0.1; done" >prox.out & pid=$!; until_true "grep -q ready prox.out"; kill -TERM $pid; wait $pid; code=$?; cat prox.out; echo $code'
t signal-client-killed 'docker run --name orphan busybox:test sleep 30 & pid=$!; until_true "docker exec orphan true"; kill -9 $pid; wait $pid 2>/dev/null; sleep 1; docker inspect -f "{{.State.Status}}" orphan; docker rm -f orphan'
t exec-stopped 'docker exec e0 true'
t rm-running 'docker rm web'
t start-running 'docker start web'

# ---- files: cp, diff, commit, export ---------------------------------------------------------------
t cp-in 'echo content >file; docker cp file web:/tmp/copied; docker exec web cat /tmp/copied'
t cp-out 'docker cp web:/etc/passwd passwd; grep -c root passwd'
t cp-quiet 'docker cp -q file web:/tmp/q; docker exec web cat /tmp/q'
t cp-dir 'mkdir -p tree/sub; echo 1 >tree/a; echo 2 >tree/sub/b; docker cp tree web:/tmp/; docker exec web find /tmp/tree | sort'
t cp-dir-contents 'docker exec web mkdir -p /tmp/into; docker cp tree/. web:/tmp/into; docker exec web ls /tmp/into'
t cp-dir-out 'docker cp web:/tmp/tree out >/dev/null; find out | sort'
t cp-to-tar 'docker cp web:/tmp/tree - | tar tf - | sort'
t cp-from-tar 'tar cf - -C tree a | docker cp - web:/var; docker exec web cat /var/a'
t cp-stopped 'docker cp file e0:/root/f; docker cp e0:/root/f back; cat back'
t cp-created 'docker cp file c1:/root/f && docker cp c1:/root/f - | tar tf -'
t cp-missing-source 'docker cp web:/no/such .'
t cp-missing-local 'docker cp nosuchfile web:/tmp'
t cp-missing-container 'docker cp file nosuch:/tmp'
t cp-missing-directory 'docker cp file web:/no/such/dir/'
t cp-two-containers 'docker cp web:/a e0:/b'
t cp-two-locals 'docker cp a b'
t cp-symlink 'docker exec web ln -s /etc/passwd /tmp/link; docker cp web:/tmp/link l1; test -L l1 && readlink l1; docker cp -L web:/tmp/link l2; test -L l2 || grep -c root l2'
t cp-archive 'docker exec web sh -c "echo x >/tmp/own; chown 1000:50 /tmp/own; chmod 640 /tmp/own"; docker cp -a web:/tmp/own own; stat -c "%a %u:%g" own'
t cp-words 'docker cp file'
t diff 'docker run --name chg busybox:test sh -c "echo x >/new; rm /etc/group; mkdir /dir; echo y >>/etc/passwd; touch /dir/f"; docker diff chg | sort -k 2'
t diff-clean 'docker diff c1'
t diff-missing 'docker diff nosuch'
t diff-words 'docker diff'
t commit 'docker commit -m "a message" -a "An Author <a@b.c>" chg committed:1 | grep -cE "^sha256:[0-9a-f]{64}$"; docker run --pull never --rm committed:1 sh -c "cat /new; ls /etc/group"'
t commit-inspect "docker inspect -f '{{.Comment}}|{{.Author}}|{{json .Config.Cmd}}|{{len .RootFS.Layers}}' committed:1"
t commit-change "docker commit -c 'CMD [\"echo\", \"changed\"]' -c 'ENV ADDED=1' -c 'LABEL l=v' -c 'EXPOSE 80' -c 'WORKDIR /dir' -c 'USER 1000' chg committed:2 >/dev/null; docker run --pull never --rm committed:2; docker inspect -f '{{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{.Config.User}} {{.Config.Labels.l}}' committed:2"
t commit-change-bad "docker commit -c 'NOSUCH x' chg committed:3"
t commit-running 'docker commit web committed:web | wc -l; docker inspect -f "{{.State.Status}}" web'
t commit-missing 'docker commit nosuch x:1'
t commit-words 'docker commit chg a b'
t commit-untagged 'id=$(docker commit chg); docker run --pull never --rm "$id" cat /new; docker rmi $id | tail -n 1'
t commit-history "docker history --format '{{.CreatedBy}}|{{.Comment}}' committed:1 | head -n 1"
t commit-rmi 'docker rmi committed:2 committed:web | grep -c Untagged'
t rmi-in-use 'docker create --pull never --name user1 committed:1 >/dev/null; docker rmi committed:1; docker rm user1 >/dev/null; docker rmi committed:1 | head -n 1'
t export 'docker export chg | tar tf - | grep -E "^(new|dir/f|etc/passwd|etc/group)$" | sort'
t export-file 'docker export -o exp.tar chg; tar xOf exp.tar new'
t export-missing 'docker export nosuch'
t export-import "docker export chg | docker import -c 'CMD [\"cat\", \"/new\"]' - imported:1 | grep -c ^sha256; docker run --pull never --rm imported:1; docker rmi imported:1 | head -n 1"
t chg-rm 'docker rm chg'

# ---- rename, port, update, stats -------------------------------------------------------------------
t rename 'docker create --name old busybox:test true >/dev/null; docker rename old new; docker ps -a -f name=^new$ --format "{{.Names}}"; docker inspect -f "{{.Name}}" new'
t rename-old-gone 'docker inspect -f "{{.Name}}" old'
t rename-taken 'docker rename new web'
t rename-same 'docker rename new new'
t rename-missing 'docker rename nosuch x'
t rename-bad 'docker rename new "bad name"'
t rename-words 'docker rename new'
t rename-free 'docker create --name old busybox:test true >/dev/null && docker rm old new'
t port-none 'docker port web; echo $?'
t port-unpublished 'docker port web 80'
t port-missing 'docker port nosuch'
t port-words 'docker port'
t update 'docker update --memory 64m --memory-swap 128m web; docker inspect -f "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}" web'
t update-restart 'docker update --restart unless-stopped web; docker inspect -f "{{.HostConfig.RestartPolicy.Name}}" web; docker update --restart no web'
t update-nothing 'docker update web'
t update-missing 'docker update -m 64m nosuch'
t update-many 'docker update --cpu-shares 300 web e0'
t update-running-value 'docker update --pids-limit 77 web >/dev/null; docker exec web sh -c "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max"'
t stats-header 'docker stats --no-stream web | head -n 1 | sed "s/  */ /g"'
t stats-format "docker stats --no-stream --format '{{.Name}} {{.PIDs}}' web | sed 's/ [0-9]*\$/ N/'"
t stats-json "docker stats --no-stream --format json web | tr , '\n' | sed 's/:.*//' | tr -d '{' | sort"
t stats-all "docker stats -a --no-stream --format '{{.Name}}' | sort"
t stats-missing 'docker stats --no-stream nosuch'

# ---- restart policies, health ----------------------------------------------------------------------
t restart-on-failure 'docker run -d --name fails --restart on-failure:2 busybox:test sh -c "echo try; exit 1" >/dev/null; until_true "[ \$(docker logs fails | wc -l) = 3 ]"; ended fails; docker inspect -f "{{.RestartCount}} {{.State.ExitCode}}" fails; docker logs fails; docker rm fails'
t restart-always 'docker run -d --name always --restart always busybox:test sh -c "echo up; sleep 0.2" >/dev/null; until_true "[ \$(docker logs always | wc -l) -ge 3 ]" && echo restarted; docker stop -t 1 always; sleep 1; docker inspect -f "{{.State.Status}}" always; docker rm -f always'
t restart-killed 'docker run -d --name ka --restart always busybox:test sleep 100 >/dev/null; docker kill ka; sleep 1; docker inspect -f "{{.State.Status}}" ka; docker rm -f ka'
t health-good 'docker run -d --name fit --health-cmd "test -e /ok" --health-interval 1s --health-retries 1 busybox:test sh -c "touch /ok; sleep 100" >/dev/null; docker inspect -f "{{.State.Health.Status}}" fit; until_true "[ \$(docker inspect -f {{.State.Health.Status}} fit) = healthy ]"; docker ps -f name=fit --format "{{.Status}}"; docker ps -f health=healthy --format "{{.Names}}"'
t health-bad 'docker exec fit rm /ok; until_true "[ \$(docker inspect -f {{.State.Health.Status}} fit) = unhealthy ]"; docker inspect -f "{{.State.Health.Status}} {{(index .State.Health.Log 0).ExitCode}}" fit; docker ps -f health=unhealthy --format "{{.Names}}"; docker rm -f fit'
t health-config 'docker create --name hc --health-cmd "true" --health-interval 5s --health-timeout 2s --health-retries 4 --health-start-period 1s busybox:test >/dev/null; docker inspect -f "{{json .Config.Healthcheck}}" hc; docker rm hc'
t health-none 'docker create --name hn --no-healthcheck busybox:test >/dev/null; docker inspect -f "{{json .Config.Healthcheck}}" hn; docker rm hn'
t health-conflict 'docker create --no-healthcheck --health-cmd true busybox:test'

# ---- events ----------------------------------------------------------------------------------------
t events 'since=$(date +%s); sleep 1; docker run --name evt --rm busybox:test true; sleep 2; timeout 20 docker events --since $since --until $(date +%s) --filter container=evt --filter type=container --format "{{.Action}}"'
t events-json 'timeout 20 docker events --since $since --until $(date +%s) --filter event=create --filter container=evt --format "{{json .}}" | jq -r ".Type, .Action, .Actor.Attributes.name, .Actor.Attributes.image"'
t events-die 'timeout 20 docker events --since $since --until $(date +%s) -f event=die -f container=evt --format "{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}"'
t events-kill 'since=$(date +%s); docker run -d --name evk busybox:test sleep 100 >/dev/null; docker pause evk >/dev/null; docker unpause evk >/dev/null; docker kill evk >/dev/null; docker rename evk evl; docker rm evl >/dev/null; sleep 1; timeout 20 docker events --since $since --until $(date +%s) -f type=container --format "{{.Action}}" | grep -v exec | sort | uniq -c | sed "s/^ *//"'

# ---- rm, prune, df ---------------------------------------------------------------------------------
t rm-missing 'docker rm nosuch'
t rm-force-missing 'docker rm -f nosuch'
t rm-mixed 'docker rm e3 nosuch web e0'
t rm-force 'docker run -d --name forced busybox:test sleep 100 >/dev/null; docker rm -f forced; docker ps -aq -f name=forced'
t rm-volumes 'docker create --name vols busybox:test >/dev/null; docker rm -v vols'
t rm-exited 'docker run --name x1 busybox:test true; docker run --name x2 busybox:test true; docker rm $(docker ps -aq -f status=exited -f name=x) | wc -l; docker rm $(docker ps -aq -f status=exited -f name=x)'
t rm-xargs 'docker create --name y1 busybox:test >/dev/null; docker create --name y2 busybox:test >/dev/null; docker ps -aq -f name=y | xargs docker rm | wc -l'
t rm-words 'docker rm'
t trap-cleanup '( name=trapped; trap "docker rm -f \$name >/dev/null" EXIT; docker run -d --name $name busybox:test sleep 100 >/dev/null; docker exec $name true; exit 5 ); echo $?; docker ps -aq -f name=trapped'
t prune-filter-bad 'docker container prune -f --filter bogus=1'
t prune-no 'echo n | docker container prune; docker ps -aq | wc -l'
t prune-label 'docker create --name p1 -l keep busybox:test >/dev/null; docker create --name p2 busybox:test >/dev/null; docker container prune -f --filter "label!=keep" | grep -v "^[0-9a-f]*$"; docker ps -a --format "{{.Names}}" | sort'
t prune-until 'docker container prune -f --filter until=1h; docker ps -aq -f name=p1 | wc -l'
t prune-yes 'echo y | docker container prune | grep -v "^[0-9a-f]*$"; docker ps -aq | wc -l'
t prune-nothing 'docker container prune -f'
t system-df "docker system df | sed 's/  */ /g' | awk '{print \$1}'; docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'"
t system-df-verbose 'docker system df -v | grep -E "^[A-Z]" | sed "s/  */ /g"'
t system-prune-no 'echo n | docker system prune'
t system-prune 'docker run --name z1 busybox:test true; docker system prune -f | grep -v "^[0-9a-f]*$"; docker ps -aq | wc -l; docker images -q | wc -l'
t image-prune 'docker image prune -f'

# ---- what is not understood ------------------------------------------------------------------------
t unknown-command 'docker nosuchcommand'
t unknown-subcommand 'docker container nosuch'
t unknown-flag-ps 'docker ps --nope'
t unknown-short-flag 'docker ps -Z'
t flag-needs-value 'docker ps --filter'
t container-help 'docker container --help | head -n 3'
t run-help 'docker run --help | head -n 7; docker run --help | grep -cE -- "--(memory|cpus|cpu-shares|cpuset-cpus|env|volume|publish|restart|name|rm|detach|interactive|tty) "'
t stop-words 'docker stop'
t kill-words 'docker kill'
t logs-words 'docker logs; docker logs a b'
t start-words 'docker start'
t wait-words 'docker wait'
t pause-words 'docker pause'
t inspect-words 'docker inspect'
t cleanup 'docker rm -f $(docker ps -aq); docker ps -aq'
