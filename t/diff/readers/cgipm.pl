#!/usr/bin/perl
# cgipm.pl - CGI.pm reads forms. Records in, lines of JSON out: see wsgi.py.
use strict;
use warnings;
no warnings 'once';
use CGI;
use Digest::SHA qw(sha256_hex);
use JSON::PP;

my $json = JSON::PP->new->canonical->ascii->allow_nonref;
binmode STDIN;
$| = 1;
$CGI::LIST_CONTEXT_WARN = 0;
open(my $in, '<&', \*STDIN) or die $!;
binmode $in;

sub take {
    my ($n) = @_;
    my ($data, $got) = ('', 0);
    while ($got < $n) {
        my $more = read($in, $data, $n - $got, $got);
        return undef unless $more;
        $got += $more;
    }
    return $data;
}

# A file handle of CGI.pm is written as the name of its file.
sub text {
    my ($value) = @_;
    return defined $value ? "$value" : undef;
}

sub form {
    my ($type, $body) = @_;
    local %ENV = (%ENV, GATEWAY_INTERFACE => 'CGI/1.1', REQUEST_METHOD => 'POST', CONTENT_TYPE => $type,
        CONTENT_LENGTH => length $body, QUERY_STRING => '', SERVER_PROTOCOL => 'HTTP/1.1');
    CGI::initialize_globals();
    close STDIN;
    open(STDIN, '<', \$body) or die $!;
    binmode STDIN;
    my $q = CGI->new;
    die $q->cgi_error . "\n" if $q->cgi_error;
    my $file = $q->upload('content');
    my ($data, $name);
    if ($file) {
        binmode $file;
        local $/;
        $data = <$file>;
        $data = '' unless defined $data;
        $name = text(scalar $q->param('content'));
    }
    my %seen = map { $_ => 1 } $q->param;
    return { name => text(scalar $q->param('name')), version => text(scalar $q->param('version')),
        action => text(scalar $q->param(':action')), filename => $name,
        sha256 => defined $data ? sha256_hex($data) : undef, fields => [sort keys %seen] };
}

print $json->encode({ reader => $CGI::VERSION }), "\n";
while (defined(my $head = take(12))) {
    my (undef, $type_n, $body_n) = unpack 'N3', $head;
    my $type = $type_n ? take($type_n) : '';
    my $body = $body_n ? take($body_n) : '';
    my $said = eval { form($type, $body) } || { error => "$@" };
    print $json->encode($said), "\n";
}
