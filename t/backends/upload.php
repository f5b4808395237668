<?php
// upload.php - an index as somebody writes it in PHP in an afternoon: the form's name is the project, the
// client's file name is the file. It also removes, as pypiserver does.
//
// As bottle_app.py, from the environment: PYPT_DATA, PYPT_SEEN.

$data = getenv('PYPT_DATA');

function normal($name)
{
    return strtolower(preg_replace('/[-_.]+/', '-', $name));
}

function did($what, $project)
{
    $line = ['case' => $_SERVER['HTTP_USER_AGENT'] ?? '', 'did' => $what, 'project' => $project];
    file_put_contents(getenv('PYPT_SEEN'), json_encode($line, JSON_INVALID_UTF8_SUBSTITUTE) . "\n", FILE_APPEND);
}

function refuse($why)
{
    did('nothing', null);
    http_response_code(400);
    exit($why);
}

function files($dir)
{
    return array_values(array_filter(scandir($dir), fn($name) => $name[0] != '.'));
}

function post($data)
{
    $project = normal((string)($_POST['name'] ?? ''));
    $version = (string)($_POST['version'] ?? '');
    if ($project == '' || $version == '') {
        refuse('name and version, please');
    }
    $dir = "$data/packages/$project";
    if (($_POST[':action'] ?? '') == 'remove_pkg') {
        did('removed', $project);
        foreach (glob("$dir/*-$version*") as $file) {
            unlink($file);
        }
        return;
    }
    $file = $_FILES['content'] ?? null;
    if (($_POST[':action'] ?? '') != 'file_upload' || !$file || $file['error']) {
        refuse('not an upload');
    }
    did('stored', $project);
    if (!is_dir($dir)) {
        mkdir($dir, 0755, true);
    }
    $name = basename($file['name']);
    move_uploaded_file($file['tmp_name'], "$dir/$name");
    file_put_contents("$dir/$name.json", json_encode(['version' => $version, 'summary' => $_POST['summary'] ?? null]));
}

if ($_SERVER['REQUEST_METHOD'] == 'POST') {
    post($data);
    exit('done');
}
$words = explode('/', parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
$what = array_slice($words, 2);
if ($what[0] == 'list' && count($what) == 1) {
    echo json_encode(files("$data/packages"));
} elseif ($what[0] == 'list') {
    $rows = [];
    foreach (files("$data/packages/{$what[1]}") as $name) {
        $rows[$name] = hash_file('sha256', "$data/packages/{$what[1]}/$name");
    }
    echo json_encode($rows);
} else {
    foreach (glob("$data/packages/*/{$what[1]}") as $file) {
        header('Content-Type: application/octet-stream');
        readfile($file);
    }
}
