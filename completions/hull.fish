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
complete -c hull -n "__fish_hull_needs_command" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_needs_command" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_needs_command" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_needs_command" -f -a "images" -d 'List images'
complete -c hull -n "__fish_hull_needs_command" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_needs_command" -f -a "rmi" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_needs_command" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_needs_command" -f -a "inspect" -d 'Return low-level information on containers, images and other objects'
complete -c hull -n "__fish_hull_needs_command" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_needs_command" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_needs_command" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_needs_command" -f -a "image" -d 'Manage images'
complete -c hull -n "__fish_hull_needs_command" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand history" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand history" -s H -l human -d 'Print sizes and dates in human readable format' -r
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
complete -c hull -n "__fish_hull_using_subcommand images" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand images" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand images" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand images" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand pull" -l platform -d 'Set platform if the registry has images for several' -r
complete -c hull -n "__fish_hull_using_subcommand pull" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand rmi" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand rmi" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand inspect" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand inspect" -l type -d 'Only inspect objects of the given type' -r
complete -c hull -n "__fish_hull_using_subcommand inspect" -s s -l size -d 'Display total file sizes if the type is container'
complete -c hull -n "__fish_hull_using_subcommand info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand version" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand image; and not __fish_seen_subcommand_from exists history import inspect load ls list pull rm remove tag help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -s H -l human -d 'Print sizes and dates in human readable format' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -s c -l change -d 'Apply Dockerfile instruction to the created image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -s m -l message -d 'Set commit message for imported image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from import" -l platform -d 'Set platform of the image' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from inspect" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -s i -l input -d 'Read from tar archive file, instead of STDIN' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -l platform -d 'Load only the given platform of a multi-platform archive' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from load" -s q -l quiet -d 'Suppress the load output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from ls" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s f -l filter -d 'Filter output based on conditions provided' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l format -d 'Format output: \'table\', \'table TEMPLATE\', \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s a -l all -d 'Show all images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l digests -d 'Show digests'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -l no-trunc -d 'Don\'t truncate output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Only show image IDs'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -l platform -d 'Set platform if the registry has images for several' -r
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from pull" -s q -l quiet -d 'Suppress verbose output'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from rm" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -s f -l force -d 'Force removal of the image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from remove" -l no-prune -d 'Accepted: layers that others use always stay'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand image; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from info help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and not __fish_seen_subcommand_from info help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from info" -s f -l format -d 'Format output using a custom template: \'json\' or a Go template' -r
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand system; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "images" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "rmi" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "inspect" -d 'Return low-level information on containers, images and other objects'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "info" -d 'Display system-wide information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "version" -d 'Show the version information'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "completion" -d 'Print a completion script for bash, zsh or fish'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "image" -d 'Manage images'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "system" -d 'Manage hull'
complete -c hull -n "__fish_hull_using_subcommand help; and not __fish_seen_subcommand_from history import load images pull rmi tag inspect info version completion image system help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "exists" -d 'Check if an image exists: exit code 0 if it does, 1 if not'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "history" -d 'Show the history of an image'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "import" -d 'Import the contents from a tarball to create a filesystem image'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "inspect" -d 'Display detailed information on one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "load" -d 'Load an image from a tar archive or STDIN'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "ls" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "list" -d 'List images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "pull" -d 'Download an image from a registry'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "rm" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "remove" -d 'Remove one or more images'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from image" -f -a "tag" -d 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE'
complete -c hull -n "__fish_hull_using_subcommand help; and __fish_seen_subcommand_from system" -f -a "info" -d 'Display system-wide information'
