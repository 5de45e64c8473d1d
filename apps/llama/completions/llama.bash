# bash completion for llama

# What builds may be called by: names may have blanks. Of a list `cur` is all of it.
_llama_builds()
{
    local list='' word=$cur name names
    if [[ $1 == list && $cur == *,* ]]; then
        list=${cur%,*},
        word=${cur##*,}
    fi
    mapfile -t names < <(llama builds --names 2>/dev/null)
    for name in latest "${names[@]}"; do
        [[ $name == "$word"* ]] && COMPREPLY+=("$list$(printf %q "$name")")
    done
}

# Builds, and files of traces.
_llama_traces()
{
    COMPREPLY=($(compgen -f -- "$cur"))
    _llama_builds
}

_llama()
{
    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} i
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W 'build builds report compare explain sql export invoke xargs store get daemon emulator config doctor bootstrap function help --help --version' -- "$cur"))
        return
    fi
    case $command in
    build)
        # Past the options of its own there is another command with its own completion.
        for ((i = 2; i < COMP_CWORD; ++i)); do
            case ${COMP_WORDS[i]} in
            --) ((++i)); break ;;
            --name | --tag) ((++i)) ;;
            -*) ;;
            *) break ;;
            esac
        done
        if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
            _command_offset "$i"
        elif [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--name --tag --json --no-summary --no-progress --record --replay --workers --speed --cold-start --uplink --help --' -- "$cur"))
        else
            COMPREPLY=($(compgen -c -- "$cur"))
        fi
        ;;
    builds)
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--json --names --name --tag --status --since --limit --older-than --keep --max-bytes --dry-run --force --help' -- "$cur"))
        elif ((COMP_CWORD == 2)); then
            COMPREPLY=($(compgen -W 'rename tag rm prune' -- "$cur"))
        elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --status ]]; then
            COMPREPLY=($(compgen -W 'ok failed running unfinished' -- "$cur"))
        else
            _llama_builds
        fi
        ;;
    config | doctor) COMPREPLY=($(compgen -W '--json --help' -- "$cur")) ;;
    report | compare)
        if [[ $cur == -* && $command == report ]]; then
            COMPREPLY=($(compgen -W '--json --section --build --help' -- "$cur"))
        elif [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--json --a --b --help' -- "$cur"))
        elif [[ $command == compare && ${COMP_WORDS[COMP_CWORD - 1]} == --[ab] ]]; then
            _llama_builds list
        elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --section ]]; then
            COMPREPLY=($(compgen -W 'findings bounds overview phases slowest path weighted parallelism use workers cost local reading' -- "$cur"))
        else
            _llama_traces
        fi
        ;;
    explain)
        # Behind -- there is another command with its own completion.
        for ((i = 2; i < COMP_CWORD; ++i)); do
            [[ ${COMP_WORDS[i]} == -- ]] && break
        done
        if ((i + 1 < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
            _command_offset $((i + 1))
        elif ((i < COMP_CWORD)); then
            COMPREPLY=($(compgen -c -- "$cur"))
        elif [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--json --inputs --build --help --' -- "$cur"))
        elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --build ]]; then
            _llama_traces
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    bootstrap)
        COMPREPLY=($(compgen -W '--region --bucket --function --role --image --zip --memory --timeout
            --tmp --dry-run --yes --json --destroy --policy --help' -- "$cur"))
        ;;
    function)
        if ((COMP_CWORD == 2)); then
            COMPREPLY=($(compgen -W 'list create update delete logs --help' -- "$cur"))
        elif [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--memory --timeout --tmp --env --zip --image --role --region --since
                --grep --all --yes --json' -- "$cur"))
        fi
        ;;
    sql)
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '--build --all --since --csv --json --markdown --vertical --help' -- "$cur"))
        elif [[ ${COMP_WORDS[COMP_CWORD - 1]} != --since ]]; then
            _llama_traces
        fi
        ;;
    export)
        case ${COMP_WORDS[COMP_CWORD - 1]} in
        --format) COMPREPLY=($(compgen -W 'chrome perfetto speedscope jaeger otlp otlp-json zipkin honeycomb xray csv
            ndjson sqlite parquet' -- "$cur")) ;;
        --output | -o | --duckdb | --header-file) COMPREPLY=($(compgen -f -- "$cur")) ;;
        *)
            if [[ $cur == -* ]]; then
                COMPREPLY=($(compgen -W '--format --build --trace --top --time-range --no-args --max-bytes
                    --corrected-clocks --duckdb --output --to --header --header-env --header-file --no-gzip
                    --help' -- "$cur"))
            else
                _llama_traces
            fi
            ;;
        esac
        ;;
    invoke | xargs)
        # Past the options of its own there is another command with its own completion.
        for ((i = 2; i < COMP_CWORD; ++i)); do
            case ${COMP_WORDS[i]} in
            --) ((++i)); break ;;
            -f | -o | -j | -a | --env | --dir | --timeout | --function | --name | --retries | --joblog | --halt) ((++i)) ;;
            -*) ;;
            *) break ;;
            esac
        done
        if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
            _command_offset "$i"
        elif [[ $cur == -* && $command == invoke ]]; then
            COMPREPLY=($(compgen -W '-f -o --stdin --env --dir --timeout --in-image --function --or-local --name --verbose --help --' -- "$cur"))
        elif [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '-j -a -0 -f --keep-order --retries --joblog --resume --halt --timeout --env --in-image --function --no-progress --name --verbose --help --' -- "$cur"))
        else
            case ${COMP_WORDS[COMP_CWORD - 1]} in
            -f | -a | -o | --joblog) COMPREPLY=($(compgen -f -- "$cur")) ;;
            *) COMPREPLY=($(compgen -c -- "$cur")) ;;
            esac
        fi
        ;;
    store) COMPREPLY=($(compgen -W '--verify --help' -- "$cur") $(compgen -f -- "$cur")) ;;
    get) COMPREPLY=($(compgen -W '-o --help' -- "$cur")) ;;
    daemon) COMPREPLY=($(compgen -W 'start stop status metrics restart run --help --json' -- "$cur")) ;;
    emulator)
        case ${COMP_WORDS[COMP_CWORD - 1]} in
        --port-file | --dir | --cert | --key | --secret-file | --model) COMPREPLY=($(compgen -f -- "$cur")) ;;
        --profile) COMPREPLY=($(compgen -W 'none aws' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W '--port --port-file --listen --dir --tls --cert --key --region --access-key --secret-file --expire-after --profile --model --set --max-object --bare-root --function-idle --help' -- "$cur")) ;;
        esac
        ;;
    help) COMPREPLY=($(compgen -W 'build builds report compare explain sql export invoke xargs store get daemon emulator config doctor bootstrap function names' -- "$cur")) ;;
    esac
}
complete -o default -F _llama llama
