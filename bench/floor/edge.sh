# covers self-signed-certificate:/etc/nginx/tls/@domain@.pem check:filestore-shared-www-data check:edge
packages="$packages nginx openssl curl"
directories="$directories /etc/nginx/tls /var/cache/nginx /etc/systemd/system/nginx.service.d"
files="$files /etc/nginx/nginx.conf /etc/systemd/system/nginx.service.d/odoo-prov.conf"
units="$units nginx.service"
watched="$watched /etc/nginx/nginx.conf /etc/systemd/system/nginx.service.d/odoo-prov.conf /etc/nginx/tls/@domain@.pem"
openssl x509 -in /etc/nginx/tls/@domain@.pem -noout -ext subjectAltName -checkend 2592000 -pubkey
openssl pkey -in /etc/nginx/tls/@domain@.pem -pubout
stat -c '%a %U' /etc/nginx/tls/@domain@.pem
runuser -u www-data -- head -n 1 /srv/odoo/filestore/.odoo-prov-@cluster@
curl -sk -o /dev/null -m 4 -w '%{http_code}\n' --resolve @domain@:443:127.0.0.1 https://@domain@/web/login
