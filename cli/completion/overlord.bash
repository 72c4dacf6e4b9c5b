# bash completion of overlord(1); what there is to complete the program knows.

_overlord() {
	local cur line prefix ext extensions word c
	local -a words
	COMPREPLY=()
	# The line itself, since bash breaks words at '=' and ':', too.
	line=${COMP_LINE:0:COMP_POINT}
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=("")
	cur=${words[${#words[@]} - 1]}
	# bash replaces no more than what comes after these.
	prefix=
	for c in = :; do
		[[ $COMP_WORDBREAKS == *"$c"* && $cur == *"$c"* ]] || continue
		word=${cur%"${cur##*"$c"}"}
		[[ ${#word} -le ${#prefix} ]] || prefix=$word
	done
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		if [[ $word == :files* ]]; then
			extensions=${word#:files}
			word=$cur
			[[ $cur != --*=* ]] || word=${cur#*=}
			compopt -o filenames 2>/dev/null
			while IFS= read -r c; do
				[[ -n $extensions && ! -d $c ]] || {
					COMPREPLY+=("$c")
					continue
				}
				for ext in $extensions; do
					[[ $c != *".$ext" ]] ||
						COMPREPLY+=("$c")
				done
			done < <(compgen -f -- "$word")
		else
			word=${word#"$prefix"}
			printf -v word %q "$word"
			COMPREPLY+=("$word")
		fi
	done < <("$1" __complete "${words[@]:1}" 2>/dev/null)
}

complete -F _overlord overlord
