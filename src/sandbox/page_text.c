/*
 * page_text.c: a row for each text, a column for each language.
 */
#include "page_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const codes[PAGE_LANGUAGES] = {
    [PAGE_DA] = "da", [PAGE_DE] = "de", [PAGE_EN] = "en", [PAGE_FI] = "fi",
    [PAGE_NB] = "nb", [PAGE_NN] = "nn", [PAGE_SV] = "sv"};

/* In the order of the codes: Danish, German, English, Finnish, Norwegian
 * bokmål, Norwegian nynorsk, Swedish. */
/* clang-format off */
static const char *const texts[PAGE_TEXTS][PAGE_LANGUAGES] = {
  [TEXT_NO_EFFECT] = {
    "En prøveside: intet, der underskrives her, har retsvirkning.",
    "Eine Übungsseite: Nichts, was hier unterschrieben wird, ist "
    "rechtswirksam.",
    "A page for trying things out: nothing signed here has legal effect.",
    "Kokeilusivu: mikään täällä allekirjoitettu ei ole oikeudellisesti "
    "pätevää.",
    "En prøveside: ingenting som signeres her, har rettsvirkning.",
    "Ei prøveside: ingenting som blir signert her, har rettsverknad.",
    "En provsida: inget som undertecknas här har rättsverkan."},
  [TEXT_SKIP] = {
    "Gå til underskriften", "Zur Unterschrift springen",
    "Skip to the signature", "Siirry allekirjoitukseen",
    "Gå til signaturen", "Gå til signaturen", "Gå till underskriften"},
  [TEXT_DUE] = {
    "Skal underskrives senest", "Zu unterschreiben bis", "To be signed by",
    "Allekirjoitettava viimeistään", "Må signeres innen",
    "Må signerast innan", "Ska undertecknas senast"},
  [TEXT_DOCUMENTS] = {
    "Dokumenter", "Dokumente", "Documents", "Asiakirjat", "Dokumenter",
    "Dokument", "Dokument"},
  [TEXT_TO_SIGN] = {
    "Skal underskrives", "Zu unterschreiben", "To be signed",
    "Allekirjoitettava", "Skal signeres", "Skal signerast",
    "Ska undertecknas"},
  [TEXT_TO_VIEW] = {
    "Kun til orientering", "Nur zur Ansicht", "For reading only",
    "Vain luettavaksi", "Bare til lesing", "Berre til lesing",
    "Endast för läsning"},
  [TEXT_DOCUMENT] = {
    "Dokument", "Dokument", "Document", "Asiakirja", "Dokument", "Dokument",
    "Dokument"},
  [TEXT_OPEN] = {
    "Åbn på en ny fane", "In neuem Tab öffnen", "Open in a new tab",
    "Avaa uudessa välilehdessä", "Åpne i ny fane", "Opne i ny fane",
    "Öppna i ny flik"},
  [TEXT_NO_VIEWER] = {
    "Denne browser viser ikke PDF-filer inde i en side.",
    "Dieser Browser zeigt PDF-Dateien nicht innerhalb einer Seite an.",
    "This browser does not show PDF files inside a page.",
    "Tämä selain ei näytä PDF-tiedostoja sivun sisällä.",
    "Denne nettleseren viser ikke PDF-filer inne i en side.",
    "Denne nettlesaren viser ikkje PDF-filer inne i ei side.",
    "Den här webbläsaren visar inte PDF-filer inuti en sida."},
  [TEXT_NOT_SHOWN] = {
    "Dokumentet kan ikke vises her på siden.",
    "Das Dokument kann hier auf der Seite nicht angezeigt werden.",
    "The document cannot be shown here on the page.",
    "Asiakirjaa ei voi näyttää tällä sivulla.",
    "Dokumentet kan ikke vises her på siden.",
    "Dokumentet kan ikkje visast her på sida.",
    "Dokumentet kan inte visas här på sidan."},
  [TEXT_SIGNATURE] = {
    "Din underskrift", "Ihre Unterschrift", "Your signature",
    "Allekirjoituksesi", "Din signatur", "Signaturen din",
    "Din underskrift"},
  [TEXT_AGREE] = {
    "Jeg har læst dette og er enig.",
    "Ich habe dies gelesen und stimme zu.",
    "I have read this and agree.",
    "Olen lukenut tämän ja hyväksyn sen.",
    "Jeg har lest dette og er enig.",
    "Eg har lese dette og er einig.",
    "Jag har läst detta och samtycker."},
  [TEXT_SIGN] = {
    "Underskriv", "Unterschreiben", "Sign", "Allekirjoita", "Signer",
    "Signer", "Underteckna"},
  [TEXT_CANCEL] = {
    "Annuller", "Abbrechen", "Cancel", "Peruuta", "Avbryt", "Avbryt",
    "Avbryt"},
  [TEXT_REJECT] = {
    "Afvis", "Ablehnen", "Reject", "Hylkää", "Avvis", "Avvis", "Avvisa"},
  [TEXT_IDENTIFY_FIRST] = {
    "Dokumenterne vises, når du har identificeret dig.",
    "Die Dokumente werden gezeigt, sobald Sie sich ausgewiesen haben.",
    "The documents are shown once you have identified yourself.",
    "Asiakirjat näytetään, kun olet tunnistautunut.",
    "Dokumentene vises når du har identifisert deg.",
    "Dokumenta blir viste når du har identifisert deg.",
    "Dokumenten visas när du har identifierat dig."},
  [TEXT_CHOOSE] = {
    "Vælg, hvordan du vil identificere dig",
    "Wählen Sie, wie Sie sich ausweisen",
    "Choose how to identify yourself",
    "Valitse tunnistautumistapa",
    "Velg hvordan du vil identifisere deg",
    "Vel korleis du vil identifisere deg",
    "Välj hur du vill identifiera dig"},
  [TEXT_LOG_IN_WITH] = {
    "Log på med", "Anmelden mit", "Log in with", "Tunnistaudu:",
    "Logg inn med", "Logg inn med", "Logga in med"},
  [TEXT_STAND_IN] = {
    "Denne side træder i stedet for det rigtige login. Ethvert navn duer, og "
    "der spørges ikke om adgangskode.",
    "Diese Seite vertritt die echte Anmeldung. Jeder Name ist recht, und "
    "nach einem Passwort wird nicht gefragt.",
    "This page stands in for the real login. Any name will do, and no "
    "password is asked for.",
    "Tämä sivu korvaa oikean kirjautumisen. Mikä tahansa nimi käy, eikä "
    "salasanaa kysytä.",
    "Denne siden står i stedet for den ekte innloggingen. Alle navn duger, "
    "og det spørres ikke om passord.",
    "Denne sida står i staden for den ekte innlogginga. Alle namn duger, og "
    "det blir ikkje spurt om passord.",
    "Den här sidan ersätter den riktiga inloggningen. Vilket namn som helst "
    "duger, och inget lösenord efterfrågas."},
  [TEXT_NAME] = {
    "Navn", "Name", "Name", "Nimi", "Navn", "Namn", "Namn"},
  [TEXT_NATIONAL_ID] = {
    "Personnummer (CPR)", "Nationale Identifikationsnummer",
    "National identification number", "Henkilötunnus", "Fødselsnummer",
    "Fødselsnummer", "Personnummer"},
  [TEXT_OPTIONAL] = {
    "valgfrit", "freiwillig", "optional", "vapaaehtoinen", "valgfritt",
    "valfritt", "valfritt"},
  [TEXT_LOG_IN] = {
    "Log på", "Anmelden", "Log in", "Tunnistaudu", "Logg inn", "Logg inn",
    "Logga in"},
  [TEXT_LOG_IN_AND_SIGN] = {
    "Log på og underskriv", "Anmelden und unterschreiben",
    "Log in and sign", "Tunnistaudu ja allekirjoita", "Logg inn og signer",
    "Logg inn og signer", "Logga in och underteckna"},
  [TEXT_BACK] = {
    "Tilbage", "Zurück", "Back", "Takaisin", "Tilbake", "Tilbake",
    "Tillbaka"},
  [TEXT_REASON] = {
    "Begrundelse", "Begründung", "Reason", "Perustelu", "Begrunnelse",
    "Grunngiving", "Motivering"},
  [TEXT_FINAL] = {
    "En afvisning kan ikke fortrydes.",
    "Eine Ablehnung lässt sich nicht rückgängig machen.",
    "A rejection cannot be undone.",
    "Hylkäämistä ei voi perua.",
    "En avvisning kan ikke gjøres om.",
    "Ei avvising kan ikkje gjerast om.",
    "En avvisning kan inte ångras."},
  [TEXT_CONTINUE] = {
    "Fortsæt", "Weiter", "Continue", "Jatka", "Fortsett", "Hald fram",
    "Fortsätt"},
  [TEXT_OPEN_AGAIN] = {
    "Åbn siden igen", "Seite erneut öffnen", "Open the page again",
    "Avaa sivu uudelleen", "Åpne siden igjen", "Opne sida igjen",
    "Öppna sidan igen"},
  [TEXT_MUST_AGREE] = {
    "Sæt kryds i feltet først: uden din accept kan der ikke underskrives.",
    "Kreuzen Sie zuerst das Feld an: Ohne Ihre Zustimmung kann nicht "
    "unterschrieben werden.",
    "Tick the box first: nothing can be signed without your agreement.",
    "Rastita ruutu ensin: ilman hyväksyntääsi ei voi allekirjoittaa.",
    "Kryss av i ruten først: uten ditt samtykke kan ingenting signeres.",
    "Kryss av i ruta først: utan samtykket ditt kan ingenting signerast.",
    "Kryssa i rutan först: utan ditt samtycke kan inget undertecknas."},
  [TEXT_BAD_NAME] = {
    "Skriv et navn på 1 til 64 tegn.",
    "Geben Sie einen Namen mit 1 bis 64 Zeichen ein.",
    "Enter a name of 1 to 64 characters.",
    "Kirjoita nimi, jossa on 1–64 merkkiä.",
    "Skriv et navn på 1 til 64 tegn.",
    "Skriv eit namn på 1 til 64 teikn.",
    "Skriv ett namn med 1 till 64 tecken."},
  [TEXT_OTHER_PERSON] = {
    "Det er ikke den person, der skal underskrive.",
    "Das ist nicht die Person, die unterschreiben soll.",
    "This is not the person who is to sign.",
    "Tämä ei ole henkilö, jonka on määrä allekirjoittaa.",
    "Dette er ikke personen som skal signere.",
    "Dette er ikkje personen som skal signere.",
    "Det här är inte personen som ska underteckna."},
  [TEXT_LONG_REASON] = {
    "Begrundelsen må højst have 2048 tegn.",
    "Die Begründung darf höchstens 2048 Zeichen haben.",
    "The reason may have at most 2048 characters.",
    "Perustelussa saa olla enintään 2048 merkkiä.",
    "Begrunnelsen kan ha høyst 2048 tegn.",
    "Grunngivinga kan ha høgst 2048 teikn.",
    "Motiveringen får ha högst 2048 tecken."},
  [TEXT_BLOCKED] = {
    "Det er ikke din tur endnu", "Sie sind noch nicht an der Reihe",
    "It is not your turn yet", "Ei ole vielä sinun vuorosi",
    "Det er ikke din tur ennå", "Det er ikkje din tur enno",
    "Det är inte din tur än"},
  [TEXT_BLOCKED_MORE] = {
    "En anden skal underskrive før dig. Åbn det samme link igen senere.",
    "Jemand anderes muss vor Ihnen unterschreiben. Öffnen Sie denselben "
    "Link später noch einmal.",
    "Somebody else has to sign before you. Open the same link again later.",
    "Jonkun muun on allekirjoitettava ennen sinua. Avaa sama linkki "
    "myöhemmin uudelleen.",
    "Noen andre må signere før deg. Åpne den samme lenken igjen senere.",
    "Nokon andre må signere før deg. Opne den same lenkja igjen seinare.",
    "Någon annan måste underteckna före dig. Öppna samma länk igen senare."},
  [TEXT_SIGNED] = {
    "Allerede underskrevet", "Bereits unterschrieben", "Already signed",
    "Jo allekirjoitettu", "Allerede signert", "Allereie signert",
    "Redan undertecknat"},
  [TEXT_SIGNED_MORE] = {
    "Dokumenterne bag dette link er underskrevet. Du skal ikke gøre mere.",
    "Die Dokumente hinter diesem Link sind unterschrieben. Es ist nichts "
    "mehr zu tun.",
    "The documents behind this link are signed. There is nothing left to "
    "do.",
    "Tämän linkin asiakirjat on allekirjoitettu. Mitään ei ole enää "
    "tehtävänä.",
    "Dokumentene bak denne lenken er signert. Det er ikke mer å gjøre.",
    "Dokumenta bak denne lenkja er signerte. Det er ikkje meir å gjere.",
    "Dokumenten bakom den här länken är undertecknade. Inget mer behöver "
    "göras."},
  [TEXT_REJECTED] = {
    "Afvist", "Abgelehnt", "Rejected", "Hylätty", "Avvist", "Avvist",
    "Avvisat"},
  [TEXT_REJECTED_MORE] = {
    "Underskriften er afvist. Det er endeligt.",
    "Die Unterschrift wurde abgelehnt. Das ist endgültig.",
    "The signature was rejected. That is final.",
    "Allekirjoittaminen on hylätty. Se on lopullista.",
    "Signeringen er avvist. Det er endelig.",
    "Signeringa er avvist. Det er endeleg.",
    "Undertecknandet har avvisats. Det är slutgiltigt."},
  [TEXT_EXPIRED] = {
    "Linket er udløbet", "Der Link ist abgelaufen", "The link has expired",
    "Linkki on vanhentunut", "Lenken er utløpt", "Lenkja er utgått",
    "Länken har gått ut"},
  [TEXT_EXPIRED_MORE] = {
    "Bed den, der sendte det, om et nyt.",
    "Bitten Sie den Absender um einen neuen.",
    "Ask whoever sent it for a new one.",
    "Pyydä lähettäjältä uusi.",
    "Be den som sendte den, om en ny.",
    "Be den som sende henne, om ei ny.",
    "Be den som skickade den om en ny."},
  [TEXT_OVERDUE] = {
    "Fristen er udløbet", "Die Frist ist abgelaufen",
    "The due date has passed", "Määräaika on päättynyt",
    "Fristen er gått ut", "Fristen er gått ut", "Tiden har gått ut"},
  [TEXT_OVERDUE_MORE] = {
    "Der kan ikke længere underskrives. Spørg den, der sendte linket.",
    "Es kann nicht mehr unterschrieben werden. Fragen Sie den Absender.",
    "It is too late to sign. Ask whoever sent the link.",
    "Allekirjoittaminen ei ole enää mahdollista. Kysy linkin lähettäjältä.",
    "Det er for sent å signere. Spør den som sendte lenken.",
    "Det er for seint å signere. Spør den som sende lenkja.",
    "Det är för sent att underteckna. Fråga den som skickade länken."},
  [TEXT_UNKNOWN] = {
    "Linket fører ingen steder hen", "Der Link führt nirgendwohin",
    "The link leads nowhere", "Linkki ei johda mihinkään",
    "Lenken fører ingen steder", "Lenkja fører ingen stader",
    "Länken leder ingenstans"},
  [TEXT_UNKNOWN_MORE] = {
    "Kontrollér, at adressen er hel, eller spørg den, der sendte den.",
    "Prüfen Sie, ob die Adresse vollständig ist, oder fragen Sie den "
    "Absender.",
    "Check that the address is complete, or ask whoever sent it.",
    "Tarkista, että osoite on kokonainen, tai kysy lähettäjältä.",
    "Kontroller at adressen er hel, eller spør den som sendte den.",
    "Kontroller at adressa er heil, eller spør den som sende henne.",
    "Kontrollera att adressen är hel, eller fråga den som skickade den."},
  [TEXT_DONE] = {
    "Underskrevet", "Unterschrieben", "Signed", "Allekirjoitettu",
    "Signert", "Signert", "Undertecknat"},
  [TEXT_DONE_MORE] = {
    "Tak. Du kan lukke siden.", "Danke. Sie können die Seite schließen.",
    "Thank you. You may close this page.",
    "Kiitos. Voit sulkea tämän sivun.", "Takk. Du kan lukke siden.",
    "Takk. Du kan lukke sida.", "Tack. Du kan stänga sidan."},
  [TEXT_CANCELLED] = {
    "Annulleret", "Abgebrochen", "Cancelled", "Peruutettu", "Avbrutt",
    "Avbrote", "Avbrutet"},
  [TEXT_CANCELLED_MORE] = {
    "Intet blev underskrevet. Du kan komme igen med det samme link.",
    "Es wurde nichts unterschrieben. Sie können mit demselben Link "
    "wiederkommen.",
    "Nothing was signed. You can come back with the same link.",
    "Mitään ei allekirjoitettu. Voit palata samalla linkillä.",
    "Ingenting ble signert. Du kan komme tilbake med den samme lenken.",
    "Ingenting vart signert. Du kan kome tilbake med den same lenkja.",
    "Inget undertecknades. Du kan komma tillbaka med samma länk."},
  [TEXT_STALE] = {
    "Formularen gælder ikke længere", "Das Formular gilt nicht mehr",
    "The form is no longer valid", "Lomake ei ole enää voimassa",
    "Skjemaet gjelder ikke lenger", "Skjemaet gjeld ikkje lenger",
    "Formuläret gäller inte längre"},
  [TEXT_STALE_MORE] = {
    "Intet blev ændret. Åbn siden igen, med cookies tilladt.",
    "Es wurde nichts geändert. Öffnen Sie die Seite erneut und erlauben Sie "
    "Cookies.",
    "Nothing was changed. Open the page again, with cookies allowed.",
    "Mitään ei muutettu. Avaa sivu uudelleen ja salli evästeet.",
    "Ingenting ble endret. Åpne siden igjen, med informasjonskapsler "
    "tillatt.",
    "Ingenting vart endra. Opne sida igjen, med informasjonskapslar "
    "tillatne.",
    "Inget ändrades. Öppna sidan igen, med kakor tillåtna."},
  [TEXT_FAILED] = {
    "Det lykkedes ikke", "Das hat nicht geklappt", "That did not work",
    "Se ei onnistunut", "Det lyktes ikke", "Det lukkast ikkje",
    "Det gick inte"},
  [TEXT_FAILED_MORE] = {
    "Intet blev underskrevet.", "Es wurde nichts unterschrieben.",
    "Nothing was signed.", "Mitään ei allekirjoitettu.",
    "Ingenting ble signert.", "Ingenting vart signert.",
    "Inget undertecknades."},
};
/* clang-format on */

const char *page_text(PageLanguage language, PageText text) {
  return texts[text][language];
}

const char *page_language_code(PageLanguage language) {
  return codes[language];
}

static bool find(const char *code, size_t size, PageLanguage *language) {
  for (size_t i = 0; i < PAGE_LANGUAGES; i++)
    if (size == strlen(codes[i]) && strncasecmp(code, codes[i], size) == 0) {
      *language = (PageLanguage)i;
      return true;
    }
  return false;
}

PageLanguage page_language(const char *code) {
  PageLanguage language = PAGE_EN;
  if (code) find(code, strlen(code), &language);
  return language;
}

/* Browsers name the best first, so the weights behind are not looked at. */
PageLanguage page_language_accepted(const char *header) {
  PageLanguage language = PAGE_EN;
  while (header && *header) {
    header += strspn(header, " \t,");
    if (find(header, strcspn(header, "-,; \t"), &language)) break;
    if (strncasecmp(header, "no", 2) == 0 && strchr("-,; \t", header[2]))
      return PAGE_NB;
    header += strcspn(header, ",");
  }
  return language;
}
