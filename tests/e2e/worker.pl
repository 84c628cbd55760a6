#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A worker written from proto/WORKER.md alone: calls subs of Perl packages, one at a time.
# "Jobs::Report:daily" is the sub daily of the package Jobs::Report; kwargs come as a hash, last.
use strict;
use warnings;
use Data::MessagePack;
use Errno qw(EINTR EAGAIN);
use Fcntl;
use lib '.';

open(my $socket, '+<&=', $ENV{SCHEDD_WORKER_FD}) or die "descriptor 3: $!";
binmode $socket;
fcntl($socket, F_SETFD, FD_CLOEXEC);
my $packer = Data::MessagePack->new->utf8->prefer_integer(0);
my $buffer = '';
my (@waiting, $current);
our $reading;

sub transmit {
	my $bytes = $packer->pack($_[0]);
	while (length $bytes) {
		my $n = syswrite $socket, $bytes;
		next if !defined $n && $!{EINTR};
		exit 1 if !defined $n;
		substr($bytes, 0, $n) = '';
	}
}

# Takes the whole messages out of the buffer.
sub messages {
	my @found;
	while (length $buffer) {
		my $unpacker = Data::MessagePack::Unpacker->new->utf8;
		my $used = eval { $unpacker->execute($buffer, 0) };
		last unless defined $used && $unpacker->is_finished;
		push @found, $unpacker->data;
		substr($buffer, 0, $used) = '';
	}
	return @found;
}

sub handle {
	my $message = shift;
	if ($message->[0] == 0 && $message->[2] eq 'ping') {
		transmit([1, $message->[1], undef, {}]);
	} elsif ($message->[0] == 0 && $message->[2] eq 'call') {
		push @waiting, $message;
	} elsif ($message->[0] == 0) {
		transmit([1, $message->[1], { type => 'unknown', message => "$message->[2]" }, undef]);
	} elsif ($message->[1] eq 'cancel' && defined $current && $current eq $message->[2][0]{run}) {
		die "cancelled by schedd\n";
	}
}

# What came while a call goes on; the end of the stream is the end of us.
$SIG{IO} = sub {
	return if $reading;
	local $reading = 1;
	my $rin = '';
	vec($rin, fileno($socket), 1) = 1;
	while (select(my $ready = $rin, undef, undef, 0) > 0) {
		my $n = sysread $socket, $buffer, 65536, length $buffer;
		exit 1 if defined $n && $n == 0;
	}
	handle($_) for messages();
};

sub call {
	my ($msgid, $params) = ($_[0][1], $_[0][3][0]);
	my ($package, $name) = $params->{function} =~ /^(.+):(\w+)$/;
	my @args = @{ $params->{args} || [] };
	push @args, $params->{kwargs} if $params->{kwargs};
	$current = $params->{run};
	my $value = eval {
		(my $file = "$package.pm") =~ s{::}{/}g;
		require $file;
		my $sub = $package->can($name) or die "$package has no sub $name\n";
		$sub->(@args);
	};
	my $error = $@;
	$current = undef;
	return transmit([1, $msgid, undef, defined $value ? { value => $value } : undef]) unless $error;
	chomp $error;
	transmit([1, $msgid, { type => 'die', message => "$error",
		$error =~ /^cancelled/ ? (cancelled => Data::MessagePack::true()) : () }, undef]);
}

fcntl($socket, F_SETOWN, 0 + $$);
my $flags = fcntl($socket, F_GETFL, 0);
$| = 1;
require "$_.pm" for split /:/, $ENV{SCHEDD_WORKER_PRELOAD};
transmit([2, 'worker.ready', [{ protocol => 1, language => 'perl', version => "$^V" }]]);
while (1) {
	my $n = sysread $socket, $buffer, 65536, length $buffer;
	next if !defined $n && $!{EINTR};
	exit 0 if !$n;
	handle($_) for messages();
	while (my $next = shift @waiting) {
		fcntl($socket, F_SETFL, $flags | O_ASYNC);
		$SIG{IO}->();
		call($next);
		fcntl($socket, F_SETFL, $flags);
	}
}
