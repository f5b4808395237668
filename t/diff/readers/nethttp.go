// nethttp.go - net/http of Go reads forms. Records in, lines of JSON out: see wsgi.py.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime"
	"sort"
)

type answer struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Action   string   `json:"action"`
	Filename *string  `json:"filename"`
	Sha256   *string  `json:"sha256"`
	Fields   []string `json:"fields"`
}

func read(ctype string, body []byte) interface{} {
	request, err := http.NewRequest("POST", "http://localhost/", bytes.NewReader(body))
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	request.Header.Set("Content-Type", ctype)
	if err = request.ParseMultipartForm(32 << 20); err != nil {
		return map[string]string{"error": err.Error()}
	}
	a := answer{Name: request.FormValue("name"), Version: request.FormValue("version"),
		Action: request.FormValue(":action"), Fields: []string{}}
	for name := range request.MultipartForm.Value {
		a.Fields = append(a.Fields, name)
	}
	for name := range request.MultipartForm.File {
		a.Fields = append(a.Fields, name)
	}
	sort.Strings(a.Fields)
	if file, head, err := request.FormFile("content"); err == nil {
		hash := sha256.New()
		io.Copy(hash, file)
		file.Close()
		digest := hex.EncodeToString(hash.Sum(nil))
		a.Filename, a.Sha256 = &head.Filename, &digest
	}
	request.MultipartForm.RemoveAll()
	return a
}

func main() {
	in, out := bufio.NewReaderSize(os.Stdin, 1<<16), bufio.NewWriter(os.Stdout)
	say := func(value interface{}) {
		line, _ := json.Marshal(value)
		out.Write(append(line, '\n'))
		out.Flush()
	}
	say(map[string]string{"reader": runtime.Version()})
	head := make([]byte, 12)
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		ctype := make([]byte, binary.BigEndian.Uint32(head[4:]))
		body := make([]byte, binary.BigEndian.Uint32(head[8:]))
		io.ReadFull(in, ctype)
		io.ReadFull(in, body)
		say(read(string(ctype), body))
	}
}
