{{- define "runai-access.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "runai-access.selector" -}}
app.kubernetes.io/name: runai-access
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "runai-access.labels" -}}
{{ include "runai-access.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* The security context of pods and of containers: no root, no privileges, nothing to write. */}}
{{- define "runai-access.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "runai-access.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end -}}

{{- define "runai-access.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "runai-access.environment" -}}
- name: RUNAI_ACCESS_URL
  value: {{ required "url is required, such as https://access.example.com" .Values.url | quote }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.secretName }}
      key: {{ .Values.database.secretKey }}
- name: RUNAI_ACCESS_SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretKey.secretName }}
      key: {{ .Values.secretKey.secretKey }}
{{- with .Values.secretKey.previousSecretKey }}
- name: RUNAI_ACCESS_SECRET_KEY_PREVIOUS
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.secretKey.secretName }}
      key: {{ . }}
{{- end }}
- name: RUNAI_ACCESS_ADMIN_EMAIL
  value: {{ .Values.admin.email | quote }}
- name: RUNAI_ACCESS_LOG_FORMAT
  value: {{ .Values.logFormat | quote }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "runai-access.volumeMounts" -}}
- name: var
  mountPath: /var/lib/runai-access
- name: tmp
  mountPath: /tmp
{{- end -}}

{{- define "runai-access.volumes" -}}
- name: var
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
{{- end -}}
