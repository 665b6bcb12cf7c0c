# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_hull_global_optspecs
    string join \n config= c/context= D/debug H/host= l/log-level= root= runroot= v/version
end

function __fish_hull_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_hull_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_hull_using_subcommand
    set -l cmd (__fish_hull_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c hull -n "__fish_hull_needs_command" -l config -d 'Location of client config files' -r
complete -c hull -n "__fish_hull_needs_command" -s c -l context -d 'Accepted and ignored' -r
complete -c hull -n "__fish_hull_needs_command" -s H -l host -d 'Accepted and ignored' -r
complete -c hull -n "__fish_hull_needs_command" -s l -l log-level -d 'Set the logging level: debug, info, warn, error' -r
complete -c hull -n "__fish_hull_needs_command" -l root -d 'Directory of images, containers and volumes' -r
complete -c hull -n "__fish_hull_needs_command" -l runroot -d 'Directory of run state, emptied at boot' -r
complete -c hull -n "__fish_hull_needs_command" -s D -l debug -d 'Enable debug messages'
complete -c hull -n "__fish_hull_needs_command" -s v -l version -d 'Print version information and quit'
complete -c hull -n "__fish_hull_needs_command" -f -a "run" -d 'Create and run a new container from an image'
complete -c hull -n "__fish_hull_needs_command" -f -a "create" -d 'Create a new container'
complete -c hull -n "__fish_hull_needs_command" -f -a "start" -d 'Start one or more stopped containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "stop" -d 'Stop one or more running containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "restart" -d 'Restart one or more containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "kill" -d 'Kill one or more running containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "update" -d 'Update configuration of one or more containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "stats" -d 'Display a live stream of container(s) resource usage statistics'
complete -c hull -n "__fish_hull_needs_command" -f -a "top" -d 'Display the running processes of a container'
complete -c hull -n "__fish_hull_needs_command" -f -a "rm" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "ps" -d 'List containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "logs" -d 'Fetch the logs of a container'
complete -c hull -n "__fish_hull_needs_command" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c hull -n "__fish_hull_needs_command" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem'
complete -c hull -n "__fish_hull_needs_command" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c hull -n "__fish_hull_needs_command" -f -a "exec" -d 'Execute a command in a running container'
complete -c hull -n "__fish_hull_needs_command" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c hull -n "__fish_hull_needs_command" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c hull -n "__fish_hull_needs_command" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c hull -n "__fish_hull_needs_command" -f -a "rename" -d 'Rename a container'
complete -c hull -n "__fish_hull_needs_command" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c hull -n "__fish_hull_needs_command" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_needs_command" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_needs_command" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_needs_command" -f -a "images" -d 'List images'
complete -c hull -n "__fish_hull_needs_command" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_needs_command" -f -a "push" -d 'Upload an image to a registry'
complete -c hull -n "__fish_hull_needs_command" -f -a "rmi" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_needs_command" -f -a "save" -d 'Save one or more images to a tar archive (streamed to STDOUT by default)'
complete -c hull -n "__fish_hull_needs_command" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_needs_command" -f -a "untag" -d 'Remove names from an image, which stays'
complete -c hull -n "__fish_hull_needs_command" -f -a "inspect" -d 'Return low-level information on containers, images and other objects'
complete -c hull -n "__fish_hull_needs_command" -f -a "login" -d 'Log in to a registry'
complete -c hull -n "__fish_hull_needs_command" -f -a "logout" -d 'Log out from a registry'
complete -c hull -n "__fish_hull_needs_command" -f -a "search" -d 'Search a registry for images'
complete -c hull -n "__fish_hull_needs_command" -f -a "doctor" -d 'Check what this machine needs to run containers, and how to mend it'
complete -c hull -n "__fish_hull_needs_command" -f -a "events" -d 'Get events as they happen'
complete -c hull -n "__fish_hull_needs_command" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_needs_command" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_needs_command" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_needs_command" -f -a "container" -d 'Manage containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "healthcheck" -d 'Look at the health of containers'
complete -c hull -n "__fish_hull_needs_command" -f -a "image" -d 'Manage images'
complete -c hull -n "__fish_hull_needs_command" -f -a "oci" -d 'Run OCI bundles, with the command line of runc'
complete -c hull -n "__fish_hull_needs_command" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand run" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image (a word, or a JSON list)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l systemd -d 'Prepare for systemd: "true" if it is the command, "always", "false"' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l annotation -d 'Add an annotation to the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l conmon-pidfile -d 'Write the id of the container\'s monitor to the file' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l pidfile -d 'Write the id of the first process to the file' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l runtime -d 'Runtime to use for this container: hull' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l shm-size -d 'Size of /dev/shm' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cidfile -d 'Write the container ID to the file' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l platform -d 'Set platform if the image has several' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l pull -d 'Pull image before creating ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l env-merge -d 'Set variables from those of the image (K=${K}-more)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l unsetenv -d 'Unset a variable of the image' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l add-host -d 'Add a custom host-to-IP mapping (host:ip)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l dns -d 'Set custom DNS servers' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l dns-option -d 'Set DNS options' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l dns-search -d 'Set custom DNS search domains' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l domainname -d 'Container NIS domain name' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l expose -d 'Expose a port or a range of ports' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s h -l hostname -d 'Container host name' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l hosts-file -d 'Start /etc/hosts from this file, or "image" or "none"' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l network -d 'Connect the container to a network: none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cap-add -d 'Add Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l group-add -d 'Add additional groups to join' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l security-opt -d 'Security options' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l sysctl -d 'Sysctl options' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l ulimit -d 'Ulimit options' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cgroupns -d 'Cgroup namespace: host or private' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l ipc -d 'IPC mode: private, shareable, none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l pid -d 'PID namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l userns -d 'User namespace: host' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l uts -d 'UTS namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l group-entry -d 'The line that is added to /etc/group' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l hostuser -d 'Add a user of the host to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l passwd-entry -d 'The line that is added to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l tz -d 'Time zone: a name such as Europe/Paris, or "local"' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l umask -d 'Mode bits that new files do not get (default 0022)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l image-volume -d 'What to do with the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l mount -d 'Attach a filesystem mount to the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l tmpfs -d 'Mount a tmpfs directory' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s v -l volume -d 'Bind mount a directory or file (source:target[:options])' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l volumes-from -d 'Mount what another container mounts' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-cmd -d 'Command to run to check health' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-interval -d 'Time between running the check (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-timeout -d 'Maximum time to allow one check to run (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-retries -d 'Consecutive failures needed to report unhealthy' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-start-period -d 'Time in which the container starts and failures do not count' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-start-interval -d 'Time between checks during the start period (default 5s)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l health-on-failure -d 'What to do with an unhealthy container: none, kill, restart, stop' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l timeout -d 'Seconds after which the container is killed' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l sdnotify -d 'Who tells systemd that it is ready: container, conmon, healthy, ignore' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device -d 'Add a host device to the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l oom-score-adj -d 'Tune the host\'s OOM preferences (-1000 to 1000)' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l log-driver -d 'Logging driver for the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l log-opt -d 'Log driver options' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s l -l label -d 'Set meta data on a container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l label-file -d 'Read in a line delimited file of labels' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l name -d 'Assign a name to the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l stop-signal -d 'Signal to stop the container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l stop-timeout -d 'Timeout (in seconds) to stop a container' -r
complete -c hull -n "__fish_hull_using_subcommand run" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand run" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand run" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand run" -l init -d 'Run an init that forwards signals and reaps processes'
complete -c hull -n "__fish_hull_using_subcommand run" -l disable-content-trust -d 'Skip image verification'
complete -c hull -n "__fish_hull_using_subcommand run" -s q -l quiet -d 'Suppress the pull output'
complete -c hull -n "__fish_hull_using_subcommand run" -l replace -d 'Remove a container that has the name already'
complete -c hull -n "__fish_hull_using_subcommand run" -l env-host -d 'Pass the caller\'s environment'
complete -c hull -n "__fish_hull_using_subcommand run" -l http-proxy -d 'Pass the caller\'s proxy variables'
complete -c hull -n "__fish_hull_using_subcommand run" -l unsetenv-all -d 'Unset the variables of the image and those that are always set'
complete -c hull -n "__fish_hull_using_subcommand run" -l no-hostname -d 'Leave /etc/hostname of the image'
complete -c hull -n "__fish_hull_using_subcommand run" -l no-hosts -d 'Leave /etc/hosts of the image'
complete -c hull -n "__fish_hull_using_subcommand run" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c hull -n "__fish_hull_using_subcommand run" -l privileged -d 'Give extended privileges to the container'
complete -c hull -n "__fish_hull_using_subcommand run" -l passwd -d 'Add a line for the user to /etc/passwd where there is none'
complete -c hull -n "__fish_hull_using_subcommand run" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c hull -n "__fish_hull_using_subcommand run" -l read-only-tmpfs -d 'With --read-only, mount a tmpfs on /run, /tmp and /var/tmp'
complete -c hull -n "__fish_hull_using_subcommand run" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c hull -n "__fish_hull_using_subcommand run" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand run" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c hull -n "__fish_hull_using_subcommand run" -l rm -d 'Remove the container and its anonymous volumes when it exits'
complete -c hull -n "__fish_hull_using_subcommand run" -s d -l detach -d 'Run container in background and print container ID'
complete -c hull -n "__fish_hull_using_subcommand run" -l rmi -d 'Remove the image after the run, unless others use it; implies --rm'
complete -c hull -n "__fish_hull_using_subcommand create" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image (a word, or a JSON list)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l systemd -d 'Prepare for systemd: "true" if it is the command, "always", "false"' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l annotation -d 'Add an annotation to the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l conmon-pidfile -d 'Write the id of the container\'s monitor to the file' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l pidfile -d 'Write the id of the first process to the file' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l runtime -d 'Runtime to use for this container: hull' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l shm-size -d 'Size of /dev/shm' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cidfile -d 'Write the container ID to the file' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l platform -d 'Set platform if the image has several' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l pull -d 'Pull image before creating ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l env-merge -d 'Set variables from those of the image (K=${K}-more)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l unsetenv -d 'Unset a variable of the image' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l add-host -d 'Add a custom host-to-IP mapping (host:ip)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l dns -d 'Set custom DNS servers' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l dns-option -d 'Set DNS options' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l dns-search -d 'Set custom DNS search domains' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l domainname -d 'Container NIS domain name' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l expose -d 'Expose a port or a range of ports' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s h -l hostname -d 'Container host name' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l hosts-file -d 'Start /etc/hosts from this file, or "image" or "none"' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l network -d 'Connect the container to a network: none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cap-add -d 'Add Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l group-add -d 'Add additional groups to join' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l security-opt -d 'Security options' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l sysctl -d 'Sysctl options' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l ulimit -d 'Ulimit options' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cgroupns -d 'Cgroup namespace: host or private' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l ipc -d 'IPC mode: private, shareable, none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l pid -d 'PID namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l userns -d 'User namespace: host' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l uts -d 'UTS namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l group-entry -d 'The line that is added to /etc/group' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l hostuser -d 'Add a user of the host to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l passwd-entry -d 'The line that is added to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l tz -d 'Time zone: a name such as Europe/Paris, or "local"' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l umask -d 'Mode bits that new files do not get (default 0022)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l image-volume -d 'What to do with the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l mount -d 'Attach a filesystem mount to the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l tmpfs -d 'Mount a tmpfs directory' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s v -l volume -d 'Bind mount a directory or file (source:target[:options])' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l volumes-from -d 'Mount what another container mounts' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-cmd -d 'Command to run to check health' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-interval -d 'Time between running the check (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-timeout -d 'Maximum time to allow one check to run (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-retries -d 'Consecutive failures needed to report unhealthy' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-start-period -d 'Time in which the container starts and failures do not count' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-start-interval -d 'Time between checks during the start period (default 5s)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l health-on-failure -d 'What to do with an unhealthy container: none, kill, restart, stop' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l timeout -d 'Seconds after which the container is killed' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l sdnotify -d 'Who tells systemd that it is ready: container, conmon, healthy, ignore' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device -d 'Add a host device to the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l oom-score-adj -d 'Tune the host\'s OOM preferences (-1000 to 1000)' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l log-driver -d 'Logging driver for the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l log-opt -d 'Log driver options' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s l -l label -d 'Set meta data on a container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l label-file -d 'Read in a line delimited file of labels' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l name -d 'Assign a name to the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l stop-signal -d 'Signal to stop the container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -l stop-timeout -d 'Timeout (in seconds) to stop a container' -r
complete -c hull -n "__fish_hull_using_subcommand create" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand create" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand create" -l init -d 'Run an init that forwards signals and reaps processes'
complete -c hull -n "__fish_hull_using_subcommand create" -l disable-content-trust -d 'Skip image verification'
complete -c hull -n "__fish_hull_using_subcommand create" -s q -l quiet -d 'Suppress the pull output'
complete -c hull -n "__fish_hull_using_subcommand create" -l replace -d 'Remove a container that has the name already'
complete -c hull -n "__fish_hull_using_subcommand create" -l env-host -d 'Pass the caller\'s environment'
complete -c hull -n "__fish_hull_using_subcommand create" -l http-proxy -d 'Pass the caller\'s proxy variables'
complete -c hull -n "__fish_hull_using_subcommand create" -l unsetenv-all -d 'Unset the variables of the image and those that are always set'
complete -c hull -n "__fish_hull_using_subcommand create" -l no-hostname -d 'Leave /etc/hostname of the image'
complete -c hull -n "__fish_hull_using_subcommand create" -l no-hosts -d 'Leave /etc/hosts of the image'
complete -c hull -n "__fish_hull_using_subcommand create" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c hull -n "__fish_hull_using_subcommand create" -l privileged -d 'Give extended privileges to the container'
complete -c hull -n "__fish_hull_using_subcommand create" -l passwd -d 'Add a line for the user to /etc/passwd where there is none'
complete -c hull -n "__fish_hull_using_subcommand create" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c hull -n "__fish_hull_using_subcommand create" -l read-only-tmpfs -d 'With --read-only, mount a tmpfs on /run, /tmp and /var/tmp'
complete -c hull -n "__fish_hull_using_subcommand create" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c hull -n "__fish_hull_using_subcommand create" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand create" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c hull -n "__fish_hull_using_subcommand create" -l rm -d 'Remove the container and its anonymous volumes when it exits'
complete -c hull -n "__fish_hull_using_subcommand start" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand start" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand start" -s a -l attach -d 'Attach STDOUT/STDERR and forward signals'
complete -c hull -n "__fish_hull_using_subcommand start" -s i -l interactive -d 'Attach container\'s STDIN'
complete -c hull -n "__fish_hull_using_subcommand start" -l all -d 'Start all containers that do not run'
complete -c hull -n "__fish_hull_using_subcommand start" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand stop" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand stop" -s t -l timeout -d 'Seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand stop" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand stop" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand stop" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand stop" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand stop" -s i -l ignore -d 'Ignore a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand restart" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand restart" -s t -l timeout -d 'Seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand restart" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand restart" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand restart" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand restart" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand restart" -l running -d 'With --all: only the containers that run'
complete -c hull -n "__fish_hull_using_subcommand kill" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand kill" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand kill" -s a -l all -d 'Signal all containers that run'
complete -c hull -n "__fish_hull_using_subcommand kill" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand pause" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand pause" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand pause" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand pause" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand unpause" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand unpause" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand unpause" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand unpause" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand update" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand update" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand update" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand stats" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand stats" -s i -l interval -d 'Seconds between two results (1)' -r
complete -c hull -n "__fish_hull_using_subcommand stats" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand stats" -l no-stream -d 'Disable streaming stats and only pull the first result'
complete -c hull -n "__fish_hull_using_subcommand stats" -l no-trunc -d 'Do not truncate output'
complete -c hull -n "__fish_hull_using_subcommand rm" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand rm" -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand rm" -s t -l timeout -d 'With --force: seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand rm" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c hull -n "__fish_hull_using_subcommand rm" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c hull -n "__fish_hull_using_subcommand rm" -s a -l all -d 'Remove all containers'
complete -c hull -n "__fish_hull_using_subcommand rm" -s i -l ignore -d 'Ignore a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand rm" -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand ps" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand ps" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand ps" -s n -l last -d 'Show n last created containers (all states)' -r
complete -c hull -n "__fish_hull_using_subcommand ps" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c hull -n "__fish_hull_using_subcommand ps" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand ps" -s l -l latest -d 'Show the latest created container'
complete -c hull -n "__fish_hull_using_subcommand ps" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand ps" -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand ps" -s q -l quiet -d 'Only display container IDs'
complete -c hull -n "__fish_hull_using_subcommand ps" -s s -l size -d 'Display total file sizes'
complete -c hull -n "__fish_hull_using_subcommand logs" -l since -d 'Show logs since a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)' -r
complete -c hull -n "__fish_hull_using_subcommand logs" -s n -l tail -d 'Number of lines to show from the end of the logs' -r
complete -c hull -n "__fish_hull_using_subcommand logs" -l until -d 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)' -r
complete -c hull -n "__fish_hull_using_subcommand logs" -l details -d 'Show extra details provided to logs'
complete -c hull -n "__fish_hull_using_subcommand logs" -s f -l follow -d 'Follow log output'
complete -c hull -n "__fish_hull_using_subcommand logs" -l names -d 'Name each line\'s container by its name, where there are several'
complete -c hull -n "__fish_hull_using_subcommand logs" -s t -l timestamps -d 'Show timestamps'
complete -c hull -n "__fish_hull_using_subcommand commit" -s a -l author -d 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' -r
complete -c hull -n "__fish_hull_using_subcommand commit" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c hull -n "__fish_hull_using_subcommand commit" -s m -l message -d 'Commit message' -r
complete -c hull -n "__fish_hull_using_subcommand commit" -s p -l pause -d 'Pause container during commit' -r
complete -c hull -n "__fish_hull_using_subcommand commit" -l no-pause -d 'Do not pause container during commit'
complete -c hull -n "__fish_hull_using_subcommand commit" -s q -l quiet -d 'Accepted for podman; only the image\'s id is printed'
complete -c hull -n "__fish_hull_using_subcommand commit" -s s -l squash -d 'Make one layer of the image\'s and the container\'s'
complete -c hull -n "__fish_hull_using_subcommand cp" -s q -l quiet -d 'Suppress progress output during copy, the default unless standard output is a terminal' -r
complete -c hull -n "__fish_hull_using_subcommand cp" -s a -l archive -d 'Archive mode (copy all uid/gid information)'
complete -c hull -n "__fish_hull_using_subcommand cp" -s L -l follow-link -d 'Always follow symbol link in SRC_PATH'
complete -c hull -n "__fish_hull_using_subcommand exec" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand exec" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand exec" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand exec" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand exec" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand exec" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand exec" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand exec" -s d -l detach -d 'Detached mode: run command in the background'
complete -c hull -n "__fish_hull_using_subcommand exec" -l privileged -d 'Give extended privileges to the command'
complete -c hull -n "__fish_hull_using_subcommand export" -s o -l output -d 'Write to a file, instead of STDOUT' -r
complete -c hull -n "__fish_hull_using_subcommand attach" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand attach" -l sig-proxy -d 'Proxy all received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand attach" -l no-stdin -d 'Do not attach STDIN'
complete -c hull -n "__fish_hull_using_subcommand wait" -l condition -d 'Wait for one of these states instead: created, running, paused, exited, stopped' -r
complete -c hull -n "__fish_hull_using_subcommand wait" -s i -l interval -d 'Time between two looks at the state' -r
complete -c hull -n "__fish_hull_using_subcommand wait" -l exit-first-match -d 'Return when the first container meets a condition'
complete -c hull -n "__fish_hull_using_subcommand wait" -l ignore -d 'Print -1 for a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand wait" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand history" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand history" -s H -l human -d 'Print sizes and dates in human readable format' -r
complete -c hull -n "__fish_hull_using_subcommand history" -l platform -d 'Show the history only if the image is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand history" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand history" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand import" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c hull -n "__fish_hull_using_subcommand import" -s m -l message -d 'Set commit message for imported image' -r
complete -c hull -n "__fish_hull_using_subcommand import" -l platform -d 'Set platform of the image' -r
complete -c hull -n "__fish_hull_using_subcommand load" -s i -l input -d 'Read from tar archive file, instead of STDIN' -r
complete -c hull -n "__fish_hull_using_subcommand load" -l platform -d 'Load only the given platform of a multi-platform archive' -r
complete -c hull -n "__fish_hull_using_subcommand load" -s q -l quiet -d 'Suppress the load output'
complete -c hull -n "__fish_hull_using_subcommand images" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand images" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand images" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c hull -n "__fish_hull_using_subcommand images" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand images" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand images" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand images" -s n -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand images" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand images" -l tree -d 'List images as a tree of their platforms, with what they take on disk'
complete -c hull -n "__fish_hull_using_subcommand pull" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l creds -d 'Log in to the registry with these for this command only' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l arch -d 'Choose images for this architecture, instead of the machine\'s' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l disable-content-trust -d 'Accepted; image signatures are not supported' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l os -d 'Choose images for this operating system' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l platform -d 'Set platform if the registry has images for several' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l policy -d 'When to pull ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l retry -d 'Attempts after a failure' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l retry-delay -d 'Wait so long before the first retry' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -l variant -d 'Choose images for this variant of the architecture' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -s a -l all-tags -d 'Download all tagged images in the repository'
complete -c hull -n "__fish_hull_using_subcommand pull" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand push" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l creds -d 'Log in to the registry with these for this command only' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l compression-format -d 'Compress layers with this (gzip, zstd), where they are not already' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l compression-level -d 'Level of the compression' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l digestfile -d 'Write the digest of the pushed image to this file' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l disable-content-trust -d 'Accepted; image signatures are not supported' -r
complete -c hull -n "__fish_hull_using_subcommand push" -s f -l format -d 'Format of the manifest (oci, v2s2), instead of the image\'s own' -r
complete -c hull -n "__fish_hull_using_subcommand push" -l platform -d 'Push the image only if it is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand push" -s a -l all-tags -d 'Push all tags of an image to the repository'
complete -c hull -n "__fish_hull_using_subcommand push" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand rmi" -s a -l all -d 'Remove all images'
complete -c hull -n "__fish_hull_using_subcommand rmi" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand rmi" -s i -l ignore -d 'Ignore images that do not exist'
complete -c hull -n "__fish_hull_using_subcommand rmi" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand save" -l format -d 'Form of what is saved: docker-archive, oci-archive, oci-dir or docker-dir' -r
complete -c hull -n "__fish_hull_using_subcommand save" -s o -l output -d 'Write to a file, instead of STDOUT' -r
complete -c hull -n "__fish_hull_using_subcommand save" -l platform -d 'Save only if the image is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand save" -s m -l multi-image-archive -d 'Accepted for podman; an archive takes any number of images'
complete -c hull -n "__fish_hull_using_subcommand save" -s q -l quiet -d 'Accepted for podman; nothing is told'
complete -c hull -n "__fish_hull_using_subcommand inspect" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand inspect" -l type -d 'Only inspect objects of the given type' -r
complete -c hull -n "__fish_hull_using_subcommand inspect" -s s -l size -d 'Display total file sizes if the type is container'
complete -c hull -n "__fish_hull_using_subcommand login" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand login" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand login" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand login" -s p -l password -d 'Password' -r
complete -c hull -n "__fish_hull_using_subcommand login" -s u -l username -d 'Username' -r
complete -c hull -n "__fish_hull_using_subcommand login" -l get-login -d 'Show who is logged in'
complete -c hull -n "__fish_hull_using_subcommand login" -l password-stdin -d 'Take the password from stdin'
complete -c hull -n "__fish_hull_using_subcommand logout" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand logout" -s a -l all -d 'Forget the logins to all registries'
complete -c hull -n "__fish_hull_using_subcommand search" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l creds -d 'Log in to the registry with these for this command only' -r
complete -c hull -n "__fish_hull_using_subcommand search" -s f -l filter -d 'Filter output ("stars=3", "is-official=true")' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l limit -d 'Max number of search results' -r
complete -c hull -n "__fish_hull_using_subcommand search" -l list-tags -d 'List the tags of a repository'
complete -c hull -n "__fish_hull_using_subcommand search" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand doctor" -l format -d 'Format output: \'table\' or \'json\'' -r
complete -c hull -n "__fish_hull_using_subcommand events" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand events" -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand events" -l since -d 'Show all events since a moment' -r
complete -c hull -n "__fish_hull_using_subcommand events" -l stream -d 'Wait for more events at the end' -r
complete -c hull -n "__fish_hull_using_subcommand events" -l until -d 'Show events until a moment' -r
complete -c hull -n "__fish_hull_using_subcommand events" -l no-trunc -d 'Accepted: nothing is cut'
complete -c hull -n "__fish_hull_using_subcommand info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand version" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "run" -d 'Create and run a new container from an image'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "create" -d 'Create a new container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "start" -d 'Start one or more stopped containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "stop" -d 'Stop one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "restart" -d 'Restart one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "kill" -d 'Kill one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "update" -d 'Update configuration of one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "stats" -d 'Display a live stream of container(s) resource usage statistics'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "top" -d 'Display the running processes of a container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "rm" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "remove" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "ls" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "list" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "ps" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "logs" -d 'Fetch the logs of a container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "exec" -d 'Execute a command in a running container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "inspect" -d 'Display detailed information on one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "rename" -d 'Rename a container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "exists" -d 'Check if a container exists: exit code 0 if it does, 1 if not, 125 on an error'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "prune" -d 'Remove all stopped containers'
complete -c hull -n "__fish_hull_using_subcommand container; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm remove ls list ps logs commit cp diff exec export attach wait inspect rename port exists prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image (a word, or a JSON list)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l systemd -d 'Prepare for systemd: "true" if it is the command, "always", "false"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l annotation -d 'Add an annotation to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l conmon-pidfile -d 'Write the id of the container\'s monitor to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l pidfile -d 'Write the id of the first process to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l runtime -d 'Runtime to use for this container: hull' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l shm-size -d 'Size of /dev/shm' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cidfile -d 'Write the container ID to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l platform -d 'Set platform if the image has several' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l pull -d 'Pull image before creating ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l env-merge -d 'Set variables from those of the image (K=${K}-more)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv -d 'Unset a variable of the image' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l add-host -d 'Add a custom host-to-IP mapping (host:ip)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l dns -d 'Set custom DNS servers' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-option -d 'Set DNS options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l dns-search -d 'Set custom DNS search domains' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l domainname -d 'Container NIS domain name' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l expose -d 'Expose a port or a range of ports' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s h -l hostname -d 'Container host name' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l hosts-file -d 'Start /etc/hosts from this file, or "image" or "none"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l network -d 'Connect the container to a network: none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-add -d 'Add Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l group-add -d 'Add additional groups to join' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l security-opt -d 'Security options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l sysctl -d 'Sysctl options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l ulimit -d 'Ulimit options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroupns -d 'Cgroup namespace: host or private' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l ipc -d 'IPC mode: private, shareable, none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l pid -d 'PID namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l userns -d 'User namespace: host' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l uts -d 'UTS namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l group-entry -d 'The line that is added to /etc/group' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l hostuser -d 'Add a user of the host to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd-entry -d 'The line that is added to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l tz -d 'Time zone: a name such as Europe/Paris, or "local"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l umask -d 'Mode bits that new files do not get (default 0022)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l image-volume -d 'What to do with the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l mount -d 'Attach a filesystem mount to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l tmpfs -d 'Mount a tmpfs directory' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s v -l volume -d 'Bind mount a directory or file (source:target[:options])' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l volumes-from -d 'Mount what another container mounts' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-cmd -d 'Command to run to check health' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-interval -d 'Time between running the check (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-timeout -d 'Maximum time to allow one check to run (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-retries -d 'Consecutive failures needed to report unhealthy' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-period -d 'Time in which the container starts and failures do not count' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-start-interval -d 'Time between checks during the start period (default 5s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l health-on-failure -d 'What to do with an unhealthy container: none, kill, restart, stop' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l timeout -d 'Seconds after which the container is killed' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l sdnotify -d 'Who tells systemd that it is ready: container, conmon, healthy, ignore' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device -d 'Add a host device to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-score-adj -d 'Tune the host\'s OOM preferences (-1000 to 1000)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l log-driver -d 'Logging driver for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l log-opt -d 'Log driver options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s l -l label -d 'Set meta data on a container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l label-file -d 'Read in a line delimited file of labels' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l name -d 'Assign a name to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-signal -d 'Signal to stop the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l stop-timeout -d 'Timeout (in seconds) to stop a container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l init -d 'Run an init that forwards signals and reaps processes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l disable-content-trust -d 'Skip image verification'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Suppress the pull output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l replace -d 'Remove a container that has the name already'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l env-host -d 'Pass the caller\'s environment'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l http-proxy -d 'Pass the caller\'s proxy variables'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l unsetenv-all -d 'Unset the variables of the image and those that are always set'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hostname -d 'Leave /etc/hostname of the image'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l no-hosts -d 'Leave /etc/hosts of the image'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l privileged -d 'Give extended privileges to the container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l passwd -d 'Add a line for the user to /etc/passwd where there is none'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l read-only-tmpfs -d 'With --read-only, mount a tmpfs on /run, /tmp and /var/tmp'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l rm -d 'Remove the container and its anonymous volumes when it exits'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -s d -l detach -d 'Run container in background and print container ID'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from run" -l rmi -d 'Remove the image after the run, unless others use it; implies --rm'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l entrypoint -d 'Overwrite the default ENTRYPOINT of the image (a word, or a JSON list)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l systemd -d 'Prepare for systemd: "true" if it is the command, "always", "false"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l annotation -d 'Add an annotation to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l conmon-pidfile -d 'Write the id of the container\'s monitor to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l pidfile -d 'Write the id of the first process to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l runtime -d 'Runtime to use for this container: hull' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l shm-size -d 'Size of /dev/shm' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cidfile -d 'Write the container ID to the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l platform -d 'Set platform if the image has several' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l pull -d 'Pull image before creating ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l env-merge -d 'Set variables from those of the image (K=${K}-more)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv -d 'Unset a variable of the image' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l add-host -d 'Add a custom host-to-IP mapping (host:ip)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l dns -d 'Set custom DNS servers' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-option -d 'Set DNS options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l dns-search -d 'Set custom DNS search domains' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l domainname -d 'Container NIS domain name' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l expose -d 'Expose a port or a range of ports' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s h -l hostname -d 'Container host name' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l hosts-file -d 'Start /etc/hosts from this file, or "image" or "none"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l network -d 'Connect the container to a network: none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l network-alias -d 'Add network-scoped alias for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s p -l publish -d 'Publish a container\'s port(s) to the host' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-add -d 'Add Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cap-drop -d 'Drop Linux capabilities' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l group-add -d 'Add additional groups to join' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l security-opt -d 'Security options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l sysctl -d 'Sysctl options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l ulimit -d 'Ulimit options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroupns -d 'Cgroup namespace: host or private' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l ipc -d 'IPC mode: private, shareable, none, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l pid -d 'PID namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l userns -d 'User namespace: host' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l uts -d 'UTS namespace: private, host or container:NAME' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l group-entry -d 'The line that is added to /etc/group' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l hostuser -d 'Add a user of the host to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd-entry -d 'The line that is added to /etc/passwd' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l tz -d 'Time zone: a name such as Europe/Paris, or "local"' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l umask -d 'Mode bits that new files do not get (default 0022)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l image-volume -d 'What to do with the image\'s volumes: anonymous, tmpfs or ignore' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l mount -d 'Attach a filesystem mount to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l tmpfs -d 'Mount a tmpfs directory' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s v -l volume -d 'Bind mount a directory or file (source:target[:options])' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l volumes-from -d 'Mount what another container mounts' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-cmd -d 'Command to run to check health' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-interval -d 'Time between running the check (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-timeout -d 'Maximum time to allow one check to run (default 30s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-retries -d 'Consecutive failures needed to report unhealthy' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-period -d 'Time in which the container starts and failures do not count' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-start-interval -d 'Time between checks during the start period (default 5s)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l health-on-failure -d 'What to do with an unhealthy container: none, kill, restart, stop' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l timeout -d 'Seconds after which the container is killed' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l sdnotify -d 'Who tells systemd that it is ready: container, conmon, healthy, ignore' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l cgroup-parent -d 'Optional parent cgroup for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device -d 'Add a host device to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l device-cgroup-rule -d 'Add a rule to the cgroup allowed devices list' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-score-adj -d 'Tune the host\'s OOM preferences (-1000 to 1000)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s a -l attach -d 'Attach to STDIN, STDOUT or STDERR' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l log-driver -d 'Logging driver for the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l log-opt -d 'Log driver options' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s l -l label -d 'Set meta data on a container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l label-file -d 'Read in a line delimited file of labels' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l name -d 'Assign a name to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l sig-proxy -d 'Proxy received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-signal -d 'Signal to stop the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l stop-timeout -d 'Timeout (in seconds) to stop a container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l init -d 'Run an init that forwards signals and reaps processes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l disable-content-trust -d 'Skip image verification'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Suppress the pull output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l replace -d 'Remove a container that has the name already'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l env-host -d 'Pass the caller\'s environment'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l http-proxy -d 'Pass the caller\'s proxy variables'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l unsetenv-all -d 'Unset the variables of the image and those that are always set'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hostname -d 'Leave /etc/hostname of the image'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l no-hosts -d 'Leave /etc/hosts of the image'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -s P -l publish-all -d 'Publish all exposed ports to random ports'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l privileged -d 'Give extended privileges to the container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l passwd -d 'Add a line for the user to /etc/passwd where there is none'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only -d 'Mount the container\'s root filesystem as read only'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l read-only-tmpfs -d 'With --read-only, mount a tmpfs on /run, /tmp and /var/tmp'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l no-healthcheck -d 'Disable any container-specified HEALTHCHECK'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l oom-kill-disable -d 'Disable OOM Killer'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from create" -l rm -d 'Remove the container and its anonymous volumes when it exits'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -s a -l attach -d 'Attach STDOUT/STDERR and forward signals'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -s i -l interactive -d 'Attach container\'s STDIN'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -l all -d 'Start all containers that do not run'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from start" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s t -l timeout -d 'Seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stop" -s i -l ignore -d 'Ignore a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -s t -l timeout -d 'Seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from restart" -l running -d 'With --all: only the containers that run'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from kill" -s s -l signal -d 'Signal to send to the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from kill" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from kill" -s a -l all -d 'Signal all containers that run'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from kill" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from pause" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from pause" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from pause" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from pause" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from unpause" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from unpause" -s f -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from unpause" -s a -l all -d 'Act on all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from unpause" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -s m -l memory -d 'Memory limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-reservation -d 'Memory soft limit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-swap -d 'Swap limit equal to memory plus swap: \'-1\' to enable unlimited swap' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l memory-swappiness -d 'Tune container memory swappiness (0 to 100)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-period -d 'Limit CPU CFS (Completely Fair Scheduler) period' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l cpu-quota -d 'Limit CPU CFS (Completely Fair Scheduler) quota' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -s c -l cpu-shares -d 'CPU shares (relative weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l cpus -d 'Number of CPUs' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-cpus -d 'CPUs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l cpuset-mems -d 'MEMs in which to allow execution (0-3, 0,1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l blkio-weight -d 'Block IO (relative weight), between 10 and 1000, or 0 to disable' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l blkio-weight-device -d 'Block IO weight (relative device weight)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l device-read-bps -d 'Limit read rate (bytes per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l device-write-bps -d 'Limit write rate (bytes per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l device-read-iops -d 'Limit read rate (IO per second) from a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l device-write-iops -d 'Limit write rate (IO per second) to a device' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l pids-limit -d 'Limit the number of processes (-1 for unlimited)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l restart -d 'Restart policy to apply when a container exits' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from update" -l strict-limits -d 'Fail if a limit cannot be enforced on this host'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stats" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stats" -s i -l interval -d 'Seconds between two results (1)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stats" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-stream -d 'Disable streaming stats and only pull the first result'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from stats" -l no-trunc -d 'Do not truncate output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -s t -l timeout -d 'With --force: seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Ignore a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from rm" -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -l cidfile -d 'Read the container ID from the file' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -l filter -d 'Act on the containers that the conditions hold for, as in ps' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -s t -l timeout -d 'With --force: seconds to wait before killing the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -s f -l force -d 'Force the removal of a running container (uses SIGKILL)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -s v -l volumes -d 'Remove anonymous volumes associated with the container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Ignore a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from remove" -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s n -l last -d 'Show n last created containers (all states)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s l -l latest -d 'Show the latest created container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only display container IDs'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ls" -s s -l size -d 'Display total file sizes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s n -l last -d 'Show n last created containers (all states)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s l -l latest -d 'Show the latest created container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only display container IDs'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from list" -s s -l size -d 'Display total file sizes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s n -l last -d 'Show n last created containers (all states)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -l sort -d 'Sort by command, created, id, image, names, runningfor, size or status' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s a -l all -d 'Show all containers (default shows just running)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s l -l latest -d 'Show the latest created container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s q -l quiet -d 'Only display container IDs'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from ps" -s s -l size -d 'Display total file sizes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -l since -d 'Show logs since a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -s n -l tail -d 'Number of lines to show from the end of the logs' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -l until -d 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -l details -d 'Show extra details provided to logs'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Follow log output'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -l names -d 'Name each line\'s container by its name, where there are several'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from logs" -s t -l timestamps -d 'Show timestamps'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s a -l author -d 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s m -l message -d 'Commit message' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s p -l pause -d 'Pause container during commit' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -l no-pause -d 'Do not pause container during commit'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s q -l quiet -d 'Accepted for podman; only the image\'s id is printed'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from commit" -s s -l squash -d 'Make one layer of the image\'s and the container\'s'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from cp" -s q -l quiet -d 'Suppress progress output during copy, the default unless standard output is a terminal' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from cp" -s a -l archive -d 'Archive mode (copy all uid/gid information)'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from cp" -s L -l follow-link -d 'Always follow symbol link in SRC_PATH'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s e -l env -d 'Set environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -l env-file -d 'Read in a file of environment variables' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s u -l user -d 'Username or UID (format: <name|uid>[:<group|gid>])' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s w -l workdir -d 'Working directory inside the container' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s i -l interactive -d 'Keep STDIN open even if not attached'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s t -l tty -d 'Allocate a pseudo-TTY'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -s d -l detach -d 'Detached mode: run command in the background'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exec" -l privileged -d 'Give extended privileges to the command'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from export" -s o -l output -d 'Write to a file, instead of STDOUT' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from attach" -l detach-keys -d 'Override the key sequence for detaching' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from attach" -l sig-proxy -d 'Proxy all received signals to the process' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from attach" -l no-stdin -d 'Do not attach STDIN'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from wait" -l condition -d 'Wait for one of these states instead: created, running, paused, exited, stopped' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from wait" -s i -l interval -d 'Time between two looks at the state' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from wait" -l exit-first-match -d 'Return when the first container meets a condition'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from wait" -l ignore -d 'Print -1 for a container that does not exist'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from wait" -s l -l latest -d 'Act on the container that was made last'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from inspect" -s s -l size -d 'Display total file sizes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from exists" -l external -d 'Accepted: containers of other programs are not in this store'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values (e.g. "until=<timestamp>")' -r
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "run" -d 'Create and run a new container from an image'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "create" -d 'Create a new container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start one or more stopped containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "stop" -d 'Stop one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "restart" -d 'Restart one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "kill" -d 'Kill one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "update" -d 'Update configuration of one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "stats" -d 'Display a live stream of container(s) resource usage statistics'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "top" -d 'Display the running processes of a container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "list" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "ps" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "logs" -d 'Fetch the logs of a container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "exec" -d 'Execute a command in a running container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Display detailed information on one or more containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "rename" -d 'Rename a container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "exists" -d 'Check if a container exists: exit code 0 if it does, 1 if not, 125 on an error'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove all stopped containers'
complete -c hull -n "__fish_hull_using_subcommand container; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand healthcheck; and not __fish_seen_subcommand_from run help" -f -a "run" -d 'Run the health check of a container once: 0 healthy, 1 unhealthy'
complete -c hull -n "__fish_hull_using_subcommand healthcheck; and not __fish_seen_subcommand_from run help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand healthcheck; and __fish_seen_subcommand_from run" -l ignore-result -d 'Exit with 0 whatever the check says'
complete -c hull -n "__fish_hull_using_subcommand healthcheck; and __fish_seen_subcommand_from help" -f -a "run" -d 'Run the health check of a container once: 0 healthy, 1 unhealthy'
complete -c hull -n "__fish_hull_using_subcommand healthcheck; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "copy" -d 'Copy an image between registries, archives, directories and the store'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "prune" -d 'Remove unused images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "push" -d 'Upload an image to a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "save" -d 'Save one or more images to a tar archive (streamed to STDOUT by default)'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "untag" -d 'Remove names from an image, which stays'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from copy exists history import inspect load ls list prune pull push rm remove save tag untag help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l src-authfile -d 'As --authfile, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l src-cert-dir -d 'As --cert-dir, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l src-creds -d 'As --creds, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l src-tls-verify -d 'As --tls-verify, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l dest-authfile -d 'As --authfile, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l dest-cert-dir -d 'As --cert-dir, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l dest-creds -d 'As --creds, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l dest-tls-verify -d 'As --tls-verify, for this end of the copy' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l digestfile -d 'Write the digest of the copied image to this file' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l multi-arch -d 'Of an image for several platforms: system (this one) or all' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l platform -d 'Copy the image for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -s a -l all -d 'Copy the images of all platforms and the list of them'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -l preserve-digests -d 'Accepted: nothing is converted, so digests always stay'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from copy" -s q -l quiet -d 'Suppress output information'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Print sizes and dates in human readable format' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -l platform -d 'Show the history only if the image is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -s m -l message -d 'Set commit message for imported image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -l platform -d 'Set platform of the image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from inspect" -l platform -d 'Inspect the image only if it is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'Read from tar archive file, instead of STDIN' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -l platform -d 'Load only the given platform of a multi-platform archive' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Suppress the load output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s n -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l tree -d 'List images as a tree of their platforms, with what they take on disk'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l sort -d 'Sort by created, id, repository, size or tag' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s n -l noheading -d 'Do not print headers'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l tree -d 'List images as a tree of their platforms, with what they take on disk'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values (e.g. "until=<timestamp>")' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all unused images, not just dangling ones'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l creds -d 'Log in to the registry with these for this command only' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l arch -d 'Choose images for this architecture, instead of the machine\'s' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l disable-content-trust -d 'Accepted; image signatures are not supported' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l os -d 'Choose images for this operating system' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'Set platform if the registry has images for several' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l policy -d 'When to pull ("always", "missing", "newer", "never")' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry -d 'Attempts after a failure' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l retry-delay -d 'Wait so long before the first retry' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l variant -d 'Choose images for this variant of the architecture' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -s a -l all-tags -d 'Download all tagged images in the repository'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l authfile -d 'File with the logins, instead of ~/.docker/config.json' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l cert-dir -d 'Directory with certificates: authorities *.crt, our own *.cert and *.key' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l tls-verify -d 'Require HTTPS and a valid certificate (false: plain HTTP, any certificate)' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l creds -d 'Log in to the registry with these for this command only' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-format -d 'Compress layers with this (gzip, zstd), where they are not already' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l compression-level -d 'Level of the compression' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l digestfile -d 'Write the digest of the pushed image to this file' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l disable-content-trust -d 'Accepted; image signatures are not supported' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -s f -l format -d 'Format of the manifest (oci, v2s2), instead of the image\'s own' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -l platform -d 'Push the image only if it is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -s a -l all-tags -d 'Push all tags of an image to the repository'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from push" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -s a -l all -d 'Remove all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -s i -l ignore -d 'Ignore images that do not exist'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -s a -l all -d 'Remove all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -s i -l ignore -d 'Ignore images that do not exist'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from save" -l format -d 'Form of what is saved: docker-archive, oci-archive, oci-dir or docker-dir' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from save" -s o -l output -d 'Write to a file, instead of STDOUT' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from save" -l platform -d 'Save only if the image is for this platform' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from save" -s m -l multi-image-archive -d 'Accepted for podman; an archive takes any number of images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from save" -s q -l quiet -d 'Accepted for podman; nothing is told'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "copy" -d 'Copy an image between registries, archives, directories and the store'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove unused images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "push" -d 'Upload an image to a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "save" -d 'Save one or more images to a tar archive (streamed to STDOUT by default)'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "untag" -d 'Remove names from an image, which stays'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "create" -d 'Create a container from a bundle'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "start" -d 'Run the program of a created container'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "state" -d 'Print the state of a container as JSON'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "kill" -d 'Send a signal, SIGTERM unless given, to a container'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "delete" -d 'Remove a stopped container'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "run" -d 'Create a container from a bundle, start it and wait for its end'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "list" -d 'List the containers of a root'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "spec" -d 'Write a config.json to start from'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "features" -d 'Print what this runtime supports as JSON'
complete -c hull -n "__fish_hull_using_subcommand oci; and not __fish_seen_subcommand_from create start state kill delete run list spec features help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -s b -l bundle -d 'Directory of config.json (the current one unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l console-socket -d 'Socket that receives the container\'s terminal' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l pid-file -d 'File to write the process id to' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l preserve-fds -d 'Number of further descriptors to pass on; only 0 is supported' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l no-new-keyring -d 'Leave the container in the caller\'s session keyring'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from create" -l no-pivot -d 'Refused: the container could reach the host\'s root'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from start" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from state" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from kill" -s a -l all -d 'Send it to every process of the container'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from delete" -s f -l force -d 'Kill it first if it runs; one that does not exist is no error'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -s b -l bundle -d 'Directory of config.json (the current one unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l console-socket -d 'Socket that receives the container\'s terminal' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l pid-file -d 'File to write the process id to' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l preserve-fds -d 'Number of further descriptors to pass on; only 0 is supported' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l no-new-keyring -d 'Leave the container in the caller\'s session keyring'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -l no-pivot -d 'Refused: the container could reach the host\'s root'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from run" -s d -l detach -d 'Do not wait for the end'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -s f -l format -d 'table or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print ids only'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -s b -l bundle -d 'Directory to write to (the current one unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from spec" -l rootless -d 'Write one for a user without root'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l log -d 'Append errors to this file too' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l log-format -d 'Format of the lines in the log: text or json' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l root -d 'Directory of container state (RUNROOT/oci unless given)' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l rootless -d 'Accepted and ignored: hull finds out by itself' -r
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l debug -d 'Accepted and ignored'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from features" -l systemd-cgroup -d 'Take linux.cgroupsPath as slice:prefix:name'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "create" -d 'Create a container from a bundle'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "start" -d 'Run the program of a created container'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "state" -d 'Print the state of a container as JSON'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "kill" -d 'Send a signal, SIGTERM unless given, to a container'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "delete" -d 'Remove a stopped container'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "run" -d 'Create a container from a bundle, start it and wait for its end'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the containers of a root'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "spec" -d 'Write a config.json to start from'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "features" -d 'Print what this runtime supports as JSON'
complete -c hull -n "__fish_hull_using_subcommand oci; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "boot" -d 'Start containers when the machine starts: enable, disable, status, start'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "check" -d 'Check that images and containers are whole, and mend them'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "doctor" -d 'Check what this machine needs to run containers, and how to mend it'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "events" -d 'Get events as they happen'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "df" -d 'Show disk usage'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "prune" -d 'Remove unused data'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from boot check doctor events df info prune help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from boot" -l directory -d 'Directory of units (default: the system\'s, without root the user\'s)' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from check" -s m -l max -d 'Accepted: unneeded parts have no age' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from check" -l deep -d 'Read every blob and compare every unpacked layer with its archive'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from check" -s f -l force -d 'With --repair: remove the images and containers that cannot be mended'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from check" -s q -l quick -d 'Look at records only (default)'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from check" -s r -l repair -d 'Mend what is damaged'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from doctor" -l format -d 'Format output: \'table\' or \'json\'' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -l since -d 'Show all events since a moment' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -l stream -d 'Wait for more events at the end' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -l until -d 'Show events until a moment' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from events" -l no-trunc -d 'Accepted: nothing is cut'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from df" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from df" -s v -l verbose -d 'Show detailed information on space usage'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from prune" -l filter -d 'Provide filter values (e.g. "label=<key>=<value>")' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from prune" -s a -l all -d 'Remove all unused images not just dangling ones'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from prune" -s f -l force -d 'Do not prompt for confirmation'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from prune" -l volumes -d 'Prune anonymous volumes'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "boot" -d 'Start containers when the machine starts: enable, disable, status, start'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "check" -d 'Check that images and containers are whole, and mend them'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "doctor" -d 'Check what this machine needs to run containers, and how to mend it'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "events" -d 'Get events as they happen'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "df" -d 'Show disk usage'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove unused data'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "run" -d 'Create and run a new container from an image'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "create" -d 'Create a new container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "start" -d 'Start one or more stopped containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "stop" -d 'Stop one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "restart" -d 'Restart one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "kill" -d 'Kill one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "update" -d 'Update configuration of one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "stats" -d 'Display a live stream of container(s) resource usage statistics'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "top" -d 'Display the running processes of a container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "rm" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "ps" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "logs" -d 'Fetch the logs of a container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "exec" -d 'Execute a command in a running container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "rename" -d 'Rename a container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "images" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "push" -d 'Upload an image to a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "rmi" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "save" -d 'Save one or more images to a tar archive (streamed to STDOUT by default)'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "untag" -d 'Remove names from an image, which stays'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "inspect" -d 'Return low-level information on containers, images and other objects'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "login" -d 'Log in to a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "logout" -d 'Log out from a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "search" -d 'Search a registry for images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "doctor" -d 'Check what this machine needs to run containers, and how to mend it'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "events" -d 'Get events as they happen'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "container" -d 'Manage containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "healthcheck" -d 'Look at the health of containers'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "image" -d 'Manage images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "oci" -d 'Run OCI bundles, with the command line of runc'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from run create start stop restart kill pause unpause update stats top rm ps logs commit cp diff exec export attach wait rename port history import load images pull push rmi save tag untag inspect login logout search doctor events info version completion container healthcheck image oci system help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "run" -d 'Create and run a new container from an image'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "create" -d 'Create a new container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "start" -d 'Start one or more stopped containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "stop" -d 'Stop one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "restart" -d 'Restart one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "kill" -d 'Kill one or more running containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "pause" -d 'Pause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "unpause" -d 'Unpause all processes within one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "update" -d 'Update configuration of one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "stats" -d 'Display a live stream of container(s) resource usage statistics'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "top" -d 'Display the running processes of a container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "rm" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "remove" -d 'Remove one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "ls" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "list" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "ps" -d 'List containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "logs" -d 'Fetch the logs of a container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "commit" -d 'Create a new image from a container\'s changes'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "cp" -d 'Copy files/folders between a container and the local filesystem'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "diff" -d 'Inspect changes to files or directories on a container\'s filesystem'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "exec" -d 'Execute a command in a running container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "export" -d 'Export a container\'s filesystem as a tar archive'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "attach" -d 'Attach local standard input, output, and error streams to a running container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "wait" -d 'Block until one or more containers stop, then print their exit codes'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "inspect" -d 'Display detailed information on one or more containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "rename" -d 'Rename a container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "port" -d 'List port mappings or a specific mapping for the container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "exists" -d 'Check if a container exists: exit code 0 if it does, 1 if not, 125 on an error'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from container" -f -a "prune" -d 'Remove all stopped containers'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from healthcheck" -f -a "run" -d 'Run the health check of a container once: 0 healthy, 1 unhealthy'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "copy" -d 'Copy an image between registries, archives, directories and the store'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "prune" -d 'Remove unused images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "push" -d 'Upload an image to a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "save" -d 'Save one or more images to a tar archive (streamed to STDOUT by default)'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "untag" -d 'Remove names from an image, which stays'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "create" -d 'Create a container from a bundle'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "start" -d 'Run the program of a created container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "state" -d 'Print the state of a container as JSON'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "kill" -d 'Send a signal, SIGTERM unless given, to a container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "delete" -d 'Remove a stopped container'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "run" -d 'Create a container from a bundle, start it and wait for its end'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "list" -d 'List the containers of a root'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "spec" -d 'Write a config.json to start from'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from oci" -f -a "features" -d 'Print what this runtime supports as JSON'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "boot" -d 'Start containers when the machine starts: enable, disable, status, start'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "check" -d 'Check that images and containers are whole, and mend them'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "doctor" -d 'Check what this machine needs to run containers, and how to mend it'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "events" -d 'Get events as they happen'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "df" -d 'Show disk usage'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "prune" -d 'Remove unused data'
