<?php
// form.php - what PHP gives an application: see php.py, which speaks to php-cgi.
$one = fn($name) => isset($_POST[$name]) && is_string($_POST[$name]) ? $_POST[$name] : null;
$file = $_FILES['content'] ?? null;
$good = $file !== null && $file['error'] === UPLOAD_ERR_OK;
$names = array_map('strval', array_merge(array_keys($_POST), array_keys($_FILES)));
sort($names, SORT_STRING);
header('Content-Type: application/json');
echo json_encode([
    'name' => $one('name'), 'version' => $one('version'), 'action' => $one(':action'),
    'filename' => $good ? $file['name'] : null,
    'sha256' => $good ? hash_file('sha256', $file['tmp_name']) : null,
    'fields' => array_values(array_unique($names)), 'php' => PHP_VERSION,
], JSON_INVALID_UTF8_SUBSTITUTE);
