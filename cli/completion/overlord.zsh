#compdef overlord
# zsh completion of overlord(1); what there is to complete the program knows.

_overlord() {
	local -a lines found
	local line word help
	lines=("${(@f)$("${(Q)words[1]}" __complete \
	    "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
	for line in "${lines[@]}"; do
		case $line in
		'') ;;
		':files')
			[[ $PREFIX != --*=* ]] || compset -P '*='
			_files
			return
			;;
		':files '*)
			[[ $PREFIX != --*=* ]] || compset -P '*='
			_files -g "*.(${${line#:files }// /|})(-.)"
			return
			;;
		*)
			word=${line%%$'\t'*}
			help=${line#*$'\t'}
			found+=("${word//:/\\:}${help:+:$help}")
			;;
		esac
	done
	(( ${#found} == 0 )) || _describe overlord found
}

if [ "$funcstack[1]" = _overlord ]; then
	_overlord "$@"
else
	compdef _overlord overlord
fi
