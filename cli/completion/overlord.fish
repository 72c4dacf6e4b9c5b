# fish completion of overlord(1); what there is to complete the program knows.

function __overlord_complete
    set -l words (commandline -opc)
    set -l cur (commandline -ct)
    set -l program $words[1]
    for line in ($program __complete $words[2..-1] "$cur" 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path (string replace -r '^--[^=]*=' '' -- $cur)
            case '*'
                echo $line
        end
    end
end

complete -c overlord -f -a '(__overlord_complete)'
