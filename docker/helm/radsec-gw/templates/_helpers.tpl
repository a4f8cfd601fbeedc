{{- define "radsec-gw.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- end }}

{{/* The name is always radsec-gw: PodMonitor makes it the job that rules and dashboard expect. */}}
{{- define "radsec-gw.selector" -}}
app.kubernetes.io/name: radsec-gw
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* A spool is a volume for each replica, which a Deployment cannot have. */}}
{{- define "radsec-gw.kind" -}}
{{ if .Values.spool.enabled }}StatefulSet{{ else }}Deployment{{ end }}
{{- end }}

{{- define "radsec-gw.labels" -}}
{{ include "radsec-gw.selector" . }}
app.kubernetes.io/component: radsec
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "radsec-gw.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ required "set image.tag or image.digest: which image of the gateway to run" .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "radsec-gw.configMap" -}}
{{- if .Values.existingConfigMap }}{{ .Values.existingConfigMap }}
{{- else }}{{ include "radsec-gw.fullname" . }}{{ end }}
{{- end }}

{{- define "radsec-gw.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
