// upload.go - an index that decides as Gitea does: FormValue("name") is the project, FormFile("content")
// the file.
//
// upload ADDRESS DATA SEEN; as bottle_app.py.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

var data, seen string

var normaliser = strings.NewReplacer(".", "-", "_", "-")

func did(r *http.Request, what string, project interface{}) {
	line, _ := json.Marshal(map[string]interface{}{"case": r.Header.Get("User-Agent"), "did": what, "project": project})
	f, err := os.OpenFile(seen, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		f.Write(append(line, '\n'))
		f.Close()
	}
}

func refuse(w http.ResponseWriter, r *http.Request, why string) {
	did(r, "nothing", nil)
	http.Error(w, why, http.StatusBadRequest)
}

func post(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("content")
	if err != nil {
		// what a form without a file asks for may still be done
		if project := normal(r.FormValue("name")); r.FormValue(":action") == "remove_pkg" && project != "" {
			did(r, "removed", project)
			os.RemoveAll(filepath.Join(data, "packages", project, filepath.Base(r.FormValue("version"))))
			return
		}
		refuse(w, r, err.Error())
		return
	}
	defer file.Close()
	project, version := normal(r.FormValue("name")), r.FormValue("version")
	if project == "" || version == "" {
		refuse(w, r, "name and version, please")
		return
	}
	did(r, "stored", project)
	dir := filepath.Join(data, "packages", project, filepath.Base(version))
	name := filepath.Base(header.Filename)
	body, err := io.ReadAll(file)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), body, 0o644)
	}
	if err == nil {
		meta, _ := json.Marshal(map[string]string{"version": version, "summary": r.FormValue("summary")})
		err = os.WriteFile(filepath.Join(dir, name+".json"), meta, 0o644)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func normal(name string) string {
	return strings.ToLower(normaliser.Replace(filepath.Base("/" + name)))
}

func names(pattern ...string) []string {
	found, _ := filepath.Glob(filepath.Join(append([]string{data, "packages"}, pattern...)...))
	return found
}

func get(w http.ResponseWriter, r *http.Request) {
	words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case words[0] == "list" && len(words) == 1:
		list := []string{}
		for _, name := range names("*") {
			list = append(list, filepath.Base(name))
		}
		json.NewEncoder(w).Encode(list)
	case words[0] == "list":
		rows := map[string]string{}
		for _, name := range names(words[1], "*", "*") {
			body, _ := os.ReadFile(name)
			sum := sha256.Sum256(body)
			rows[filepath.Base(name)] = hex.EncodeToString(sum[:])
		}
		json.NewEncoder(w).Encode(rows)
	case words[0] == "file" && len(words) == 2:
		for _, name := range names("*", "*", words[1]) {
			body, _ := os.ReadFile(name)
			w.Write(body)
		}
	default:
		http.NotFound(w, r)
	}
}

func main() {
	data, seen = os.Args[2], os.Args[3]
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			post(w, r)
		} else {
			get(w, r)
		}
	})
	if err := http.ListenAndServe(os.Args[1], nil); err != nil {
		panic(err)
	}
}
