# rack.rb - Rack reads forms. Records in, lines of JSON out: see wsgi.py.
require "digest"
require "json"
require "rack"
require "stringio"

STDIN.binmode
STDOUT.sync = true

def environment(ctype, body)
  { "REQUEST_METHOD" => "POST", "CONTENT_TYPE" => ctype, "CONTENT_LENGTH" => body.bytesize.to_s, "QUERY_STRING" => "",
    "PATH_INFO" => "/", "SCRIPT_NAME" => "", "SERVER_NAME" => "localhost", "SERVER_PORT" => "80",
    "rack.url_scheme" => "http", "rack.input" => StringIO.new(body), "rack.errors" => STDERR }
end

def read(ctype, body)
  env = environment(ctype, body)
  form = Rack::Request.new(env).POST
  content = form["content"]
  file = content.is_a?(Hash) ? content : nil
  data = file && file[:tempfile].read
  said = { name: form["name"], version: form["version"], action: form[":action"], filename: file && file[:filename],
           sha256: data && Digest::SHA256.hexdigest(data), fields: form.keys.sort }
  (env["rack.tempfiles"] || []).each(&:close!)
  said
end

puts JSON.generate({ reader: Rack.release + " of Ruby " + RUBY_VERSION })
while (head = STDIN.read(12))
  _, type_n, body_n = head.unpack("N3")
  ctype = STDIN.read(type_n) || ""
  body = STDIN.read(body_n) || ""
  begin
    puts JSON.generate(read(ctype, body))
  rescue StandardError => e
    puts JSON.generate({ error: (e.class.name + ": " + e.message).force_encoding("BINARY").inspect })
  end
end
