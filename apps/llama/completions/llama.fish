# fish completion for llama

function __llama_builds
    echo latest
    llama builds --names 2>/dev/null
end

function __llama_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and contains -- $words[2] $argv
end

# Where another command begins, completion is its own.
function __llama_other_command
    set -l words (commandline -opc) (commandline -ct)
    set -l at (contains -i -- -- $words)
    and complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-1]))
end

complete -c llama -n __fish_use_subcommand -f
complete -c llama -n __fish_use_subcommand -l help -d 'what llama does'
complete -c llama -n __fish_use_subcommand -l version -d 'version and build'
complete -c llama -n __fish_use_subcommand -f -a build -d 'run a build and say what it did'
complete -c llama -n __fish_use_subcommand -f -a builds -d 'list, name, tag and remove builds'
complete -c llama -n __fish_use_subcommand -f -a report -d 'where a build\'s time went'
complete -c llama -n __fish_use_subcommand -f -a compare -d 'two builds side by side'
complete -c llama -n __fish_use_subcommand -f -a explain -d 'how a compiler\'s command is seen'
complete -c llama -n __fish_use_subcommand -f -a sql -d 'query traces'
complete -c llama -n __fish_use_subcommand -f -a export -d 'traces in other formats'
complete -c llama -n __fish_use_subcommand -f -a invoke -d 'run any command remotely'
complete -c llama -n __fish_use_subcommand -f -a xargs -d 'run a command remotely for each item'
complete -c llama -n __fish_use_subcommand -f -a store -d 'put files into the object store'
complete -c llama -n __fish_use_subcommand -f -a get -d 'fetch files from the object store'
complete -c llama -n __fish_use_subcommand -f -a daemon -d 'start, stop or look at the daemon'
complete -c llama -n __fish_use_subcommand -f -a bootstrap -d 'make in AWS what builds need'
complete -c llama -n __fish_use_subcommand -f -a function -d 'functions in AWS'
complete -c llama -n __fish_use_subcommand -f -a config -d 'every setting and its source'
complete -c llama -n __fish_use_subcommand -f -a doctor -d 'check that everything works'
complete -c llama -n __fish_use_subcommand -f -a emulator -d 'S3 and Lambda on this machine'
complete -c llama -n __fish_use_subcommand -f -a help -d 'what a command does'

complete -c llama -n 'not __fish_use_subcommand' -l help -d 'what it does, with examples'
complete -c llama -n '__llama_is builds report compare explain sql config doctor bootstrap function daemon build' -l json
complete -c llama -n '__llama_is report compare sql export' -a '(__llama_builds)'
complete -c llama -n '__llama_is report sql export explain' -l build -x -a '(__llama_builds)'
complete -c llama -n '__llama_is build invoke xargs explain' -a '(__llama_other_command)'

for option in name tag record replay workers speed cold-start uplink
    complete -c llama -n '__llama_is build' -l $option -r
end
complete -c llama -n '__llama_is build' -l no-summary
complete -c llama -n '__llama_is build' -l no-progress

complete -c llama -n '__llama_is builds' -f -a 'rename tag rm prune (__llama_builds)'
complete -c llama -n '__llama_is builds' -l status -x -a 'ok failed running unfinished'
for option in name tag since limit older-than keep max-bytes
    complete -c llama -n '__llama_is builds' -l $option -x
end
complete -c llama -n '__llama_is builds' -l names
complete -c llama -n '__llama_is builds' -l dry-run
complete -c llama -n '__llama_is builds' -l force

complete -c llama -n '__llama_is report' -l section -x -a 'findings bounds overview phases slowest path weighted parallelism use workers cost local reading'
complete -c llama -n '__llama_is compare' -l a -x -a '(__llama_builds)'
complete -c llama -n '__llama_is compare' -l b -x -a '(__llama_builds)'
complete -c llama -n '__llama_is explain' -l inputs
for option in all csv markdown vertical
    complete -c llama -n '__llama_is sql' -l $option
end
complete -c llama -n '__llama_is sql' -l since -x

complete -c llama -n '__llama_is export' -l format -x -a 'chrome perfetto speedscope jaeger otlp otlp-json zipkin honeycomb xray csv ndjson sqlite parquet'
for option in output duckdb header-file
    complete -c llama -n '__llama_is export' -l $option -r
end
for option in trace top time-range max-bytes to header header-env
    complete -c llama -n '__llama_is export' -l $option -x
end
for option in no-args corrected-clocks no-gzip
    complete -c llama -n '__llama_is export' -l $option
end

for option in env dir timeout function name
    complete -c llama -n '__llama_is invoke xargs' -l $option -x
end
complete -c llama -n '__llama_is invoke xargs' -l in-image
complete -c llama -n '__llama_is invoke xargs' -l verbose
complete -c llama -n '__llama_is invoke' -l stdin
complete -c llama -n '__llama_is invoke' -l or-local
for option in keep-order resume no-progress
    complete -c llama -n '__llama_is xargs' -l $option
end
complete -c llama -n '__llama_is xargs' -l joblog -r
complete -c llama -n '__llama_is xargs' -l retries -x
complete -c llama -n '__llama_is xargs' -l halt -x

complete -c llama -n '__llama_is store' -l verify
complete -c llama -n '__llama_is daemon' -f -a 'start stop status metrics restart run'
complete -c llama -n '__llama_is function' -f -a 'list create update delete logs'
for option in region bucket function role image zip memory timeout tmp
    complete -c llama -n '__llama_is bootstrap' -l $option -r
end
for option in dry-run yes destroy policy
    complete -c llama -n '__llama_is bootstrap' -l $option
end
for option in memory timeout tmp env zip image role region since grep
    complete -c llama -n '__llama_is function' -l $option -r
end
complete -c llama -n '__llama_is function' -l all
complete -c llama -n '__llama_is function' -l yes
for option in port port-file listen dir cert key region access-key secret-file expire-after model set max-object function-idle
    complete -c llama -n '__llama_is emulator' -l $option -r
end
complete -c llama -n '__llama_is emulator' -l profile -x -a 'none aws'
complete -c llama -n '__llama_is emulator' -l tls
complete -c llama -n '__llama_is emulator' -l bare-root
complete -c llama -n '__llama_is help' -f -a 'build builds report compare explain sql export invoke xargs store get daemon emulator config doctor bootstrap function names'
