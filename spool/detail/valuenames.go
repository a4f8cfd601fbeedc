package detail

import (
	"strconv"
	"strings"

	"radsec-gw/wire/dict"
)

// typeErrorCause is a type that accounting does not use. FreeRADIUS 3.2.1 lacks one of its values.
const typeErrorCause = 101

// valueName returns the name of a value as FreeRADIUS writes it, "" for none: of several the last.
// Only names of the dictionary are written, which FreeRADIUS has had for long. One that it does not
// know makes it drop the whole file.
func valueName(a *dict.Attribute, number uint32) (name string) {
	if a.Vendor == 0 && a.Number == typeErrorCause {
		return ""
	}
	for _, v := range a.Values {
		if v.Number == number {
			name = v.Name
		}
	}
	return name
}

// valueNumber returns the value with a name, ignoring case; false when there is none.
func valueNumber(a *dict.Attribute, name string) (uint32, bool) {
	if number, ok := a.ValueNumber(name); ok {
		return number, true
	}
	for field := range strings.FieldsSeq(moreValues[valuesOf{a.Vendor, a.Number, a.Sub}]) {
		if known, number, _ := strings.Cut(field, "="); strings.EqualFold(known, name) {
			n, err := strconv.ParseUint(number, 10, 32)
			return uint32(n), err == nil
		}
	}
	return 0, false
}

// valuesOf names an attribute as dict.Attribute does.
type valuesOf struct {
	vendor uint32
	number uint16
	sub    byte
}

// moreValues are names that FreeRADIUS writes and that package dict does not have: those of
// vendors, of older documents, and of attributes that the gateway shows as numbers. Read only.
var moreValues = map[valuesOf]string{
	// Service-Type
	{0, 6, 0}: `
		Login=1 Framed=2 Callback-Login=3 Dialback-Login-User=3 Callback-Framed=4 Dialback-Framed-User=4
		Dialout-Framed-User=5 Shell-User=6 Exec-User=7 Sip-session=12 Voice=12 Fax=13 Modem-Relay=14 IAPP-Register=15
		IAPP-AP-Check=16 Framed-Management=18 HP-Oper=252 HP-User=255 Annex-Authorize-Only=103809025
		Annex-Framed-Tunnel=103809026 ChilliSpot-Authorize-Only=954138625
	`,
	// Framed-Protocol
	{0, 7, 0}: `
		GPRS-PDP-Context=7 PPTP=9 Ascend-ARA=255 Ascend-MPP=256 Ascend-EURAW=257 Ascend-EUUI=258 Ascend-X25=259
		Ascend-COMB=260 Ascend-FR=261 Ascend-MP=262 Ascend-FR-CIR=263 Bintec-X25=17825794 Bintec-X25-PPP=17825795
		Bintec-IP-LAPB=17825796 Bintec-IP-HDLC=17825798 Bintec-MPR-LAPB=17825799 Bintec-MPR-HDLC=17825800
		Bintec-FRAME-RELAY=17825801 Bintec-X31-BCHAN=17825802 Bintec-X75-PPP=17825803 Bintec-X75BTX-PPP=17825804
		Bintec-X25-NOSIG=17825805 Bintec-X25-PPP-OPT=17825806
	`,
	{0, 13, 0}: "VJ-TCP-IP=1 Van-Jacobsen-TCP-IP=1", // Framed-Compression
	{0, 29, 0}: "Manage-Resources=2",                // Termination-Action
	// Acct-Status-Type
	{0, 40, 0}: `
		Modem-Start=4 Modem-Stop=5 Cancel=6 One-Time=17 Subsystem-On=18 Subsystem-Off=19 WB-Login=217 WB-Logout=218
		WB-WRitelog=219 Annex-User-Reject=103809025 Annex-Call-Reject=103809026 Annex-IPCP-Start=103809027
		Annex-IPXCP-Start=103809028 Annex-ATCP-Start=103809029 Annex-Accounting-Restart=103809030
		Annex-Accounting-Shutoff=103809031 Annex-Tunnel-Start=103809032 Annex-Tunnel-Stop=103809033
		Annex-Tunnel-Reject=103809034 Annex-Tunnel-Link-Start=103809035 Annex-Tunnel-Link-Stop=103809036
		Annex-MP-Start=103809037 Annex-MP-Stop=103809038 Annex-Line-Seizure=103809039 Annex-Rlogin-Start=103809040
		Annex-Rlogin-Stop=103809041 SG-Service-Start=160825345 SG-Service-Stop=160825346
	`,
	{0, 49, 0}: "Supplicant-Restart=19 Reauthentication-Failure=20 Port-Reinit=21 Port-Disabled=22", // Acct-Terminate-Cause
	{0, 57, 0}: "Enabled=1 Disabled=2",                                                              // Ingress-Filters
	// NAS-Port-Type
	{0, 61, 0}: `
		Token-Ring=20 FDDI=21 Wireless-CDMA2000=22 Wireless-UMTS=23 Wireless-1X-EV=24 IAPP=25 FTTP=26
		Wireless-802.16=27 Wireless-802.20=28 Wireless-802.22=29 PPPoA=30 PPPoEoA=31 PPPoEoE=32 PPPoEoVLAN=33
		PPPoEoQinQ=34 xPON=35 Wireless-XGP=36
	`,
	{0, 64, 0}: "PPTP=1 L2F=2 L2TP=3 ATMP=4 VTP=5 AH=6 IP=7 MIN-IP=8 ESP=9 GRE=10 DVS=11 IP-in-IP=12 VLAN=13", // Tunnel-Type
	// Tunnel-Medium-Type
	{0, 65, 0}: `
		IP=1 IPv4=1 IPv6=2 NSAP=3 HDLC=4 BBN-1822=5 IEEE-802=6 E.163=7 E.164=8 F.69=9 X.121=10 IPX=11 Appletalk=12
		DecNet-IV=13 Banyan-Vines=14 E.164-NSAP=15
	`,
	{0, 131, 0}: "Civic-Location=1 Geo-Location=2 Users-Location=4 NAS-Location=8",                            // Location-Capable
	{0, 132, 0}: "Civic-Location=1 Geo-Location=2 Users-Location=4 NAS-Location=8 Future-Requests=16 None=32", // Requested-Location-Info
	{0, 133, 0}: "SNMP=1 Web-Based=2 Netconf=3 FTP=4 TFTP=5 SFTP=6 RCP=7 SCP=8",                               // Framed-Management
	{0, 134, 0}: "No-Protection=1 Integrity-Protection=2 Integrity-Confidentiality-Protection=3",              // Management-Transport-Protection
	// EAP-Lower-Layer
	{0, 163, 0}: `
		Wired-IEEE-802.1X=1 IEEE-802.1X-No-Preauth=2 IEEE-802.1X-Preauth=3 IEEE-802.16e=4 IKEv2=5 PPP=6
		PANA-No-Preauth=7 GSS-API=8 PANA-Preauth=9
	`,
	// Mobility-Domain-Id: FreeRADIUS gives it the names of an attribute of Ascend's.
	{0, 177, 0}:  "Switched=0 Nailed=1 Nailed/Mpp=2 Perm/Switched=3 AO/DI=6 MegaMax=7",
	{0, 241, 1}:  "Reserved=0 Fragmentation-Supported=1 More-Data-Pending=2 More-Data-Request=3",                    // Frag-Status
	{311, 7, 0}:  "Encryption-Allowed=1 Encryption-Required=2",                                                      // MS-MPPE-Encryption-Policy
	{311, 8, 0}:  "RC4-40bit-Allowed=1 RC4-128bit-Allowed=2 RC4-40or128-bit-Allowed=6",                              // MS-MPPE-Encryption-Types
	{311, 13, 0}: "Not-Allowed=0 Allowed=1 Required=2",                                                              // MS-BAP-Usage
	{311, 21, 0}: "Just-Change-Password=1 Expired-Password=2 Admin-Requires-Password-Change=3 Password-Too-Short=4", // MS-ARAP-PW-Change-Reason
	{311, 23, 0}: "PAP=1 CHAP=2 MS-CHAP-1=3 MS-CHAP-2=4 EAP=5",                                                      // MS-Acct-Auth-Type
	{311, 24, 0}: "MD5=4 OTP=5 Generic-Token-Card=6 TLS=13",                                                         // MS-Acct-EAP-Type
	{311, 41, 0}: "Machine-Health-Check=1 Ignore-User-Lookup-Failure=2",                                             // MS-Identity-Type
	{311, 45, 0}: "Full-Access=0 Quarantine=1 Probation=2",                                                          // MS-Quarantine-State
	// MS-Network-Access-Server-Type
	{311, 47, 0}: `
		Unspecified=0 Terminal-Server-Gateway=1 Remote-Access-Server=2 DHCP-Server=3 Wireless-Access-Point=4 HRA=5
		HCAP-Server=6
	`,
	{311, 48, 0}: "MS-AFW-Zone-Boundary-Policy=1 MS-AFW-Zone-Unprotected-Policy=2 MS-AFW-Zone-Protected-Policy=3", // MS-AFW-Zone
	{311, 49, 0}: "HECP-Response-Sign-Only=1 HECP-Response-Sign-And-Encrypt=2",                                    // MS-AFW-Protection-Level
	{311, 54, 0}: "SoH-Sent=0 SoH-Not-Sent=1",                                                                     // MS-RNAP-Not-Quarantine-Capable
	{311, 57, 0}: "Transition=1 Infected=2 Unknown=3 No-Data=4",                                                   // MS-Extended-Quarantine-State
}
