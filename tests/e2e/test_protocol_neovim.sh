# SPDX-License-Identifier: MIT
# Neovim speaks MessagePack-RPC: sockconnect() and rpcrequest() add, list and
# remove a job, without a line of ours between them and the daemon.
. "$(dirname "$0")/../support/e2e.sh"

command -v nvim >/dev/null || fail "neovim is not installed: sh server/install-packages.sh test"
start_schedd

cat >"$E2E_DIR/test.vim" <<'VIM'
function! s:run() abort
	let l:c = sockconnect('pipe', $SCHEDD_SOCKET, {'rpc': v:true})
	let l:job = rpcrequest(l:c, 'job.add', {'id': 'from-vim', 'command': ['/bin/true'], 'trigger': {'every': '1h'}})
	call assert_equal('from-vim', l:job.id)
	call assert_equal('waiting', l:job.state)
	let l:list = rpcrequest(l:c, 'job.list', {})
	call assert_equal(['from-vim'], map(l:list.jobs, 'v:val.id'))
	call assert_equal(v:null, l:list.next)
	call rpcrequest(l:c, 'job.remove', {'id': 'from-vim'})
	call assert_equal([], rpcrequest(l:c, 'job.list').jobs)
	try
		call rpcrequest(l:c, 'job.get', {'id': 'from-vim'})
		call add(v:errors, 'a job that was removed is answered')
	catch
		call assert_match('job.get', v:exception)
	endtry
	call chanclose(l:c)
endfunction
try
	call s:run()
catch
	call add(v:errors, v:exception . ' at ' . v:throwpoint)
endtry
call writefile(v:errors, $E2E_RESULT)
qall!
VIM

E2E_RESULT=$E2E_DIR/result timeout 60 nvim --headless -u NONE -n -S "$E2E_DIR/test.vim" || fail "neovim ended with $?"
[ -f "$E2E_DIR/result" ] || fail "neovim did not get to its end"
[ ! -s "$E2E_DIR/result" ] || fail "$(cat "$E2E_DIR/result")"
