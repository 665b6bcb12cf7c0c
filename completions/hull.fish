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
complete -c hull -n "__fish_hull_needs_command" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_needs_command" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_needs_command" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_needs_command" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand version" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from info help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from info help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from info version completion system help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from info version completion system help" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from info version completion system help" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from info version completion system help" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from info version completion system help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "info" -d 'Display system-wide information'
